"""The rival: FastAPI and ONNX Runtime with our weights, a batch of what waits if BATCH says so: uvicorn app:app, with MODELS naming the folder of build.py.

It takes the same questions as our /predict and gives the same answer. Like ours it holds nothing back to make a batch larger: one
text goes alone where only one is there.
"""

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import numpy
import onnxruntime
from fastapi import FastAPI, Response
from pydantic import BaseModel

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "rivals"))
from common import LABELS, load_tokenizer

MODELS = Path(os.environ["MODELS"])
# Measured at 64 connections on two cores: 94 answers a second with 1, 44 with 4, 28 with 16, for padding.
BATCH = int(os.environ.get("BATCH", "1"))
QUEUE = 1024

options = onnxruntime.SessionOptions()
options.intra_op_num_threads, options.inter_op_num_threads = int(os.environ.get("THREADS", "2")), 1
session = onnxruntime.InferenceSession(
    str(MODELS / os.environ.get("GRAPH", "fused_int8.onnx")), options, providers=["CPUExecutionProvider"]
)
tokenizer = load_tokenizer(MODELS)
waiting = asyncio.Queue(QUEUE)


def judge(texts):
    # Alike in length they need little padding.
    encoded = [encoding.ids for encoding in tokenizer.encode_batch_fast(texts)]
    order = sorted(range(len(texts)), key=lambda index: len(encoded[index]))
    width = len(encoded[order[-1]])
    ids = numpy.zeros((len(texts), width), numpy.int64)
    mask = numpy.zeros_like(ids)
    for row, tokens in enumerate(encoded):
        ids[row, : len(tokens)], mask[row, : len(tokens)] = tokens, 1
    logits = session.run(None, {"ids": ids, "mask": mask})[0]
    exponents = numpy.exp(logits - logits.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


async def work():
    loop = asyncio.get_running_loop()
    while True:
        taken = [await waiting.get()]
        while len(taken) < BATCH and not waiting.empty():
            taken.append(waiting.get_nowait())
        shares = await loop.run_in_executor(None, judge, [text for text, _ in taken])
        for (_, answer), row in zip(taken, shares):
            if not answer.done():
                answer.set_result(row)


@asynccontextmanager
async def lifespan(_):
    task = asyncio.create_task(work())
    yield
    task.cancel()


app = FastAPI(lifespan=lifespan)


class Question(BaseModel):
    inputs: str


@app.get("/health")
async def health():
    return {}


@app.post("/predict")
async def predict(question: Question, response: Response):
    answer = asyncio.get_running_loop().create_future()
    try:
        waiting.put_nowait((question.inputs, answer))
    except asyncio.QueueFull:
        response.status_code = 429
        return {"error": "overloaded"}
    row = await answer
    found = [{"score": float(score), "label": label} for label, score in zip(LABELS, row)]
    return sorted(found, key=lambda entry: -entry["score"])
