#!/usr/bin/env python3
"""One Python rival behind the line protocol of `copydesk bench --protocol`: worker.py ENGINE --mode {1,2,2s} --models DIR --workload FILE"""

import argparse
import json
import os
import sys
import threading
import time
from pathlib import Path

from common import load_texts, load_tokenizer

STREAMS_AND_THREADS = {"1": (1, 1), "2": (1, 2), "2s": (2, 1)}


def onnxruntime_engine(models, file, streams, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    path = str(models / file)
    sessions = [
        onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]) for _ in range(streams)
    ]
    return lambda stream, ids, mask: sessions[stream].run(None, {"ids": ids, "mask": mask})[0]


def openvino_engine(models, precision, streams, threads):
    import openvino

    hint = "THROUGHPUT" if streams > 1 else "LATENCY"
    settings = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": streams * threads,
        "NUM_STREAMS": streams,
        "PERFORMANCE_HINT": hint,
    }
    compiled = openvino.Core().compile_model(models / "openvino_int8.xml", "CPU", settings)
    requests = [compiled.create_infer_request() for _ in range(streams)]

    def run(stream, ids, mask):
        requests[stream].infer({"ids": ids, "mask": mask}, share_inputs=True)
        return requests[stream].get_output_tensor().data.copy()

    return run


ENGINES = {
    "onnxruntime-fp32": lambda *place: onnxruntime_engine(place[0], "fused.onnx", *place[1:]),
    "onnxruntime-int8": lambda *place: onnxruntime_engine(place[0], "fused_int8.onnx", *place[1:]),
    # With f32 and with bf16 for what is not int8; which is faster depends on the machine and the order.
    "openvino-int8": lambda *place: openvino_engine(place[0], "f32", *place[1:]),
    "openvino-int8-bf16": lambda *place: openvino_engine(place[0], "bf16", *place[1:]),
}


class Worker:
    def __init__(self, engine, mode, models, workload):
        import numpy

        self.numpy = numpy
        self.streams, threads = STREAMS_AND_THREADS[mode]
        self.run = ENGINES[engine](models, self.streams, threads)
        self.tokenizer = load_tokenizer(models)
        self.texts = load_texts(workload)
        self.ids = self.tokenise(self.texts)

    def tokenise(self, texts):
        return [encoding.ids for encoding in self.tokenizer.encode_batch_fast(texts)]

    def answer(self, request):
        numpy = self.numpy
        count = min(request.get("limit") or len(self.texts), len(self.texts))
        start = time.perf_counter()
        ids = self.tokenise(self.texts[:count]) if request["text"] else self.ids[:count]
        order = list(range(count))
        if request["order"] == "sorted":
            order.sort(key=lambda index: -len(ids[index]))
        batches = [order[first:first + request["batch"]] for first in range(0, count, request["batch"])]
        stride = request.get("stride") or 1
        batches = batches[min(stride // 2, len(batches) - 1)::stride]
        logits = numpy.zeros((count, 5), numpy.float32)
        padded, lock, queue = [], threading.Lock(), iter(batches)

        def stream(number):
            while True:
                with lock:
                    batch = next(queue, None)
                if batch is None:
                    return
                longest = max(len(ids[index]) for index in batch)
                tokens = numpy.zeros((len(batch), longest), numpy.int64)
                mask = numpy.zeros_like(tokens)
                for row, index in enumerate(batch):
                    tokens[row, :len(ids[index])] = ids[index]
                    mask[row, :len(ids[index])] = 1
                padded.append(tokens.size)
                logits[batch] = self.run(number, tokens, mask)

        threads = [threading.Thread(target=stream, args=(number,)) for number in range(1, self.streams)]
        for thread in threads:
            thread.start()
        stream(0)
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - start
        if request.get("dump"):
            logits.astype("<f4").tofile(request["dump"])
        encoded = [index for batch in batches for index in batch]
        tokens = sum(len(ids[index]) for index in encoded)
        return {"secs": seconds, "n": len(encoded), "tokens": tokens, "padded": sum(padded)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("--mode", choices=STREAMS_AND_THREADS, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--workload", type=Path, required=True)
    arguments = parser.parse_args()
    # Libraries print to standard output at will; answers must not be mixed with that.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker(arguments.engine, arguments.mode, arguments.models, arguments.workload)
    print(json.dumps({"ready": arguments.engine}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(worker.answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
