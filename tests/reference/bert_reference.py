"""Logits of a tiny BERT classifier with weights by formula, in f64, from the definitions alone (numpy only).

The figures in src/train/tests.rs are what this prints: value i of tensor t is scale * sin(t + 0.7 i), plus 1 for the scale
of a normalisation; tensors are counted from 1 in the order in which they are made below.
"""
import math

import numpy as np

HIDDEN, WIDE, VOCAB, POSITIONS, HEADS, LABELS = 32, 64, 22, 24, 4, 5
count = 0


def values(shape, scale, around=0.0):
    global count
    count += 1
    i = np.arange(int(np.prod(shape)))
    return np.float64(np.float32(around + scale * np.sin(count + 0.7 * i))).reshape(shape)


def linear(rows, cols):
    return values((rows, cols), 0.3), values(rows, 0.1)


def norm():
    return values(HIDDEN, 0.1, 1.0), values(HIDDEN, 0.1)


def apply(layer, x):
    return x @ layer[0].T + layer[1]


def normalise(layer, x):
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(var + 1e-12) * layer[0] + layer[1]


word, position, kind = values((VOCAB, HIDDEN), 0.5), values((POSITIONS, HIDDEN), 0.2), values((2, HIDDEN), 0.1)
first = norm()
layers = []
for _ in range(2):
    q, k, v, o = (linear(HIDDEN, HIDDEN) for _ in range(4))
    up, down = linear(WIDE, HIDDEN), linear(HIDDEN, WIDE)
    layers.append((q, k, v, o, up, down, norm(), norm()))
head = values((LABELS, HIDDEN), 0.5), values(LABELS, 0.1)
erf = np.vectorize(math.erf)


def logits(ids):
    x = normalise(first, word[ids] + position[: len(ids)] + kind[0])
    for q, k, v, o, up, down, norm1, norm2 in layers:
        context, width = [], HIDDEN // HEADS
        for h in range(HEADS):
            part = slice(h * width, (h + 1) * width)
            scores = apply(q, x)[:, part] @ apply(k, x)[:, part].T / math.sqrt(width)
            p = np.exp(scores - scores.max(-1, keepdims=True))
            context.append(p / p.sum(-1, keepdims=True) @ apply(v, x)[:, part])
        x = normalise(norm1, apply(o, np.concatenate(context, 1)) + x)
        u = apply(up, x)
        x = normalise(norm2, apply(down, u * 0.5 * (1 + erf(u / math.sqrt(2)))) + x)
    return apply(head, x[0])


for ids in ([2, 7, 8, 9, 10, 11, 3], [2, 3], [2, 21, 0, 13, 5, 5, 19, 4, 1, 16, 3]):
    print([round(float(value), 6) for value in logits(ids)])
