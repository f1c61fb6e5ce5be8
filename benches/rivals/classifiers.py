#!/usr/bin/env python3
"""A classifier of Hugging Face's layout in copydesk, ONNX Runtime, OpenVINO and PyTorch: the same weights and texts, one thread, in turns.

    classifiers.py --model DIR --copydesk ../../target/release/copydesk --runs ../runs/classifiers.jsonl
    classifiers.py --random mpnet --tokenizer ../../models/base/tokenizer.json --model DIR …

--random first writes DIR: a model of the published base size with random weights, on which speed does not depend. Texts are those of
`copydesk bench --print-texts`, sorted by length, batches of --batch, tokenised before the clock starts; those of more than 256 tokens are left out. Needs torch,
transformers, onnx, onnxruntime, openvino, tokenizers and numpy. "Farthest" is the largest difference of a logit to PyTorch's in f32,
"same label" how often the best label is PyTorch's.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}

MOST_TOKENS = 256


def make(kind, folder, tokenizer):
    import torch
    import transformers

    torch.manual_seed(1)
    labels = {"num_labels": 5}
    config, model = {
        "mpnet": (transformers.MPNetConfig, transformers.MPNetForSequenceClassification),
        "bert": (transformers.BertConfig, transformers.BertForSequenceClassification),
    }[kind]
    model(config(**labels)).eval().save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes(tokenizer.read_bytes())


def short(lines, folder):
    """Rows whose texts no engine would cut."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    return [line for line in lines if len(tokenizer.encode(json.loads(line)["text"]).ids) <= MOST_TOKENS]


class Batches:
    """Padded batches of the texts, sorted by length."""

    def __init__(self, folder, texts, size):
        import numpy
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
        order = sorted(range(len(ids)), key=lambda text: len(ids[text]))
        self.list = []
        for start in range(0, len(order), size):
            members = order[start : start + size]
            width = max(len(ids[text]) for text in members)
            matrix = numpy.zeros((len(members), width), dtype=numpy.int64)
            mask = numpy.zeros_like(matrix)
            for row, text in enumerate(members):
                matrix[row, : len(ids[text])] = ids[text]
                mask[row, : len(ids[text])] = 1
            self.list.append((members, matrix, mask))
        self.texts = len(ids)


class InProcess:
    """An engine that maps ids and mask to logits."""

    def __init__(self, run, batches):
        self.run_batch, self.batches = run, batches

    def run(self):
        import numpy

        logits = [None] * self.batches.texts
        begin = time.perf_counter()
        for members, ids, mask in self.batches.list:
            for text, row in zip(members, self.run_batch(ids, mask)):
                logits[text] = row
        return time.perf_counter() - begin, numpy.array(logits)


class Copydesk:
    """`copydesk bench --protocol`, which keeps its model from turn to turn."""

    def __init__(self, program, folder, precision, workload, size):
        command = [program, "bench", "--protocol", "--mode", "1", "--workload", workload, "--model", folder, "--precision", precision]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.size, self.dump = size, tempfile.NamedTemporaryFile()
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("copydesk ended")
        return json.loads(line)

    def run(self):
        import numpy

        request = {"batch": self.size, "order": "sorted", "text": 0, "limit": 1 << 30, "stride": 1, "dump": self.dump.name}
        print(json.dumps(request), file=self.process.stdin, flush=True)
        answer = self.answer()
        return answer["secs"], numpy.fromfile(self.dump.name, "<f4").reshape(answer["n"], -1)


def engines(arguments, workload, texts, folder):
    import numpy
    import onnxruntime
    import openvino
    import torch
    import transformers
    from onnxruntime.quantization import quantize_dynamic

    torch.set_num_threads(1)
    batches = Batches(arguments.model, texts, arguments.batch)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(arguments.model, attn_implementation="eager").eval()

    def by_torch(ids, mask):
        with torch.no_grad():
            return model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits.numpy()

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = model

        def forward(self, ids, mask):
            return self.inner(input_ids=ids, attention_mask=mask).logits

    plain, quantised = folder / "plain.onnx", folder / "int8.onnx"
    ids = torch.randint(1000, 2000, (3, 17))
    mask = torch.ones_like(ids)
    mask[1, 9:] = 0
    axes = {0: "b", 1: "s"}
    with torch.no_grad():
        torch.onnx.export(
            Logits().eval(), (ids, mask), str(plain), input_names=["ids", "mask"], output_names=["logits"],
            dynamic_axes={"ids": axes, "mask": axes, "logits": {0: "b"}}, opset_version=17, dynamo=False,
        )
    quantize_dynamic(str(plain), str(quantised), per_channel=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1

    def by_onnxruntime(path):
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return lambda ids, mask: session.run(None, {"ids": ids, "mask": mask})[0]

    compiled = openvino.Core().compile_model(str(plain), "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1})
    request = compiled.create_infer_request()

    def by_openvino(ids, mask):
        request.infer({"ids": ids, "mask": mask})
        return request.get_output_tensor().data.copy()

    ours = {f"copydesk {precision}": Copydesk(arguments.copydesk, arguments.model, precision, workload, arguments.batch) for precision in arguments.precisions.split(",")}
    others = {
        "PyTorch f32": by_torch,
        "ONNX Runtime f32": by_onnxruntime(plain),
        "ONNX Runtime int8": by_onnxruntime(quantised),
        "OpenVINO f32": by_openvino,
    }
    return {name: InProcess(run, batches) for name, run in others.items()} | ours


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--random", choices=["mpnet", "bert"], help="write such a model to --model first")
    parser.add_argument("--tokenizer", type=Path, help="its tokenizer.json")
    parser.add_argument("--copydesk", required=True)
    parser.add_argument("--precisions", default="f32,int8")
    parser.add_argument("--texts", type=int, default=64)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--runs", type=Path, required=True, help="file that the raw answers are added to, a JSON object a line")
    arguments = parser.parse_args()
    if arguments.random:
        arguments.model.mkdir(parents=True, exist_ok=True)
        make(arguments.random, arguments.model, arguments.tokenizer)
    printed = subprocess.run([arguments.copydesk, "bench", "--print-texts"], capture_output=True, text=True, check=True).stdout
    lines = short(printed.splitlines(), arguments.model)
    lines = lines[:: max(1, len(lines) // arguments.texts)][: arguments.texts]
    with tempfile.TemporaryDirectory() as name, open(arguments.runs, "a") as raw:
        folder = Path(name)
        workload = folder / "texts.jsonl"
        workload.write_text("\n".join(lines) + "\n")
        running = engines(arguments, workload, [json.loads(line)["text"] for line in lines], folder)
        seconds, logits = {name: [] for name in running}, {}
        for repeat in range(arguments.repeats):
            for name, engine in running.items():
                taken, logits[name] = engine.run()
                seconds[name].append(taken)
                answer = {"model": arguments.random or arguments.model.name, "engine": name, "repeat": repeat, "texts": len(lines), "secs": taken, "load": os.getloadavg()[0]}
                print(json.dumps(answer), file=raw, flush=True)
    reference = logits["PyTorch f32"]
    print("| engine, one thread | texts/s | lowest to highest | farthest | same label |\n|---|---|---|---|---|")
    for name, taken in seconds.items():
        rates = sorted(len(lines) / time for time in taken)
        far = abs(logits[name] - reference).max()
        same = (logits[name].argmax(1) == reference.argmax(1)).mean()
        print(f"| {name} | {statistics.median(rates):.1f} | {rates[0]:.1f} to {rates[-1]:.1f} | {far:.1e} | {same:.0%} |")


if __name__ == "__main__":
    main()
