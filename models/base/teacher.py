#!/usr/bin/env python3
"""Scores of a larger model for the texts that base learns from; they are kept in teacher-scores.jsonl.zst.

Four copies of sentence-transformers/all-mpnet-base-v2 (Apache-2.0, 12 layers of 768) learn the annotated rows, each without
one group of comment sites and without a quarter of the other pages. Six rows in ten are read with what stands before and
after them on their page. Written are: for a sample of the unlabelled and the weakly labelled texts the mean of the four
models' probabilities, read on the page, and for every annotated row of a page those of the one model that did not learn it,
one part alone and two parts on the page.

It wants a GPU: about five minutes on an H200; two CPU cores would need more than a day.

Usage: teacher.py DATA MPNET OUT [--rows N] [--trial N]
  DATA   folder with annotated-train.jsonl, gold-dev.jsonl, weak.jsonl.zst, unlabelled.jsonl.zst
  MPNET  folder of all-mpnet-base-v2 with model.safetensors and tokenizer.json
  OUT    the file of scores, JSON Lines (see copydesk distill --scores)
Needs torch, numpy, safetensors, tokenizers and the program zstd.
"""

import argparse
import collections
import json
import math
import pathlib
import random
import subprocess
import zlib

import numpy as np
import tokenizers
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

LABELS = ["reporting", "opinion", "comment_spam", "quotation", "other"]
# The folds of train.sh.
GROUPS = [
    ["youtube_raw2013", "lrem_blog"],
    ["haacked_comments", "haacked_rejected", "janitr_x", "iac_4forums", "iac-4forums"],
    ["youtube_cryptoscam", "dylanmtaylor_wp", "civil_comments", "yasoob_rejected"],
    ["caffeinated_blog", "popcorn_submissions", "popcorn_submissions-title", "stackoverflow_blog", "datacamp_comments",
     "mademistakes_comments"],
]
BEGIN, PAD, END = 0, 1, 2
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Layer(nn.Module):
    """A transformer layer of MPNet: attention with a bias by distance, then the feed-forward part."""

    def __init__(self, hidden, intermediate, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.out = nn.Linear(hidden, hidden)
        self.norm1 = nn.LayerNorm(hidden, eps=1e-5)
        self.up = nn.Linear(hidden, intermediate)
        self.down = nn.Linear(intermediate, hidden)
        self.norm2 = nn.LayerNorm(hidden, eps=1e-5)

    def forward(self, x, bias, dropout):
        batch, length, hidden = x.shape
        qkv = self.qkv(x).view(batch, length, 3, self.heads, hidden // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=bias.to(query.dtype), dropout_p=dropout)
        attended = self.out(attended.transpose(1, 2).reshape(batch, length, hidden))
        x = self.norm1(x + F.dropout(attended, dropout))
        return self.norm2(x + F.dropout(self.down(F.gelu(self.up(x))), dropout))


class Classifier(nn.Module):
    """MPNet (Song et al. 2020) with a linear layer over its first vector and the mean of the paragraph's own."""

    HIDDEN, LAYERS, HEADS, BUCKETS = 768, 12, 12, 32

    def __init__(self, folder):
        super().__init__()
        self.word = nn.Embedding(30527, self.HIDDEN)
        self.position = nn.Embedding(514, self.HIDDEN)
        self.norm = nn.LayerNorm(self.HIDDEN, eps=1e-5)
        self.distance = nn.Embedding(self.BUCKETS, self.HEADS)
        self.layers = nn.ModuleList(Layer(self.HIDDEN, 3072, self.HEADS) for _ in range(self.LAYERS))
        self.register_buffer("bucket", self.buckets(512), persistent=False)
        self.load_state_dict(self.weights(folder))
        self.head = nn.Linear(2 * self.HIDDEN, len(LABELS))
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    @staticmethod
    def weights(folder):
        tensors = load_file(pathlib.Path(folder) / "model.safetensors")
        state = {}
        for part in ("weight", "bias"):
            state[f"norm.{part}"] = tensors[f"embeddings.LayerNorm.{part}"]
            for layer in range(Classifier.LAYERS):
                prefix = f"encoder.layer.{layer}."
                attention = [tensors[f"{prefix}attention.attn.{name}.{part}"] for name in "qkv"]
                state[f"layers.{layer}.qkv.{part}"] = torch.cat(attention)
                for ours, theirs in (("out", "attention.attn.o"), ("norm1", "attention.LayerNorm"),
                                     ("up", "intermediate.dense"), ("down", "output.dense"), ("norm2", "output.LayerNorm")):
                    state[f"layers.{layer}.{ours}.{part}"] = tensors[f"{prefix}{theirs}.{part}"]
        state["word.weight"] = tensors["embeddings.word_embeddings.weight"]
        state["position.weight"] = tensors["embeddings.position_embeddings.weight"]
        state["distance.weight"] = tensors["encoder.relative_attention_bias.weight"]
        return state

    @classmethod
    def buckets(cls, length):
        """Bucket of every distance, as in T5: exact to 7 words, then logarithmic to 128, before and after apart."""
        place = torch.arange(length)
        distance = place[:, None] - place[None, :]
        half = cls.BUCKETS // 2
        far = distance.abs()
        exact = half // 2
        grown = exact + (torch.log(far.float().clamp(min=1) / exact) / math.log(128 / exact) * (half - exact)).long()
        return (distance < 0).long() * half + torch.where(far < exact, far, grown.clamp(max=half - 1))

    def forward(self, ids, mask, own):
        dropout = 0.1 if self.training else 0.0
        length = ids.shape[1]
        x = self.word(ids) + self.position(torch.arange(length, device=ids.device) + 2)
        x = F.dropout(self.norm(x), dropout)
        bias = torch.zeros(ids.shape, device=ids.device).masked_fill(~mask, -1e4)[:, None, None, :]
        bias = (bias + self.distance(self.bucket[:length, :length]).permute(2, 0, 1)[None]).detach()
        for layer in self.layers:
            x = layer(x, bias, dropout)
        weight = own.to(x.dtype)[..., None]
        mean = (x * weight).sum(1) / weight.sum(1)
        return self.head(F.dropout(torch.cat([x[:, 0], mean], 1), dropout)).float()


class Texts:
    """Tokens of rows, with what stands around a row: neighbours with the same source and doc."""

    def __init__(self, rows, tokenizer):
        texts = [row["text"][:4000] for row in rows]
        self.ids = []
        for start in range(0, len(texts), 20_000):
            batch = tokenizer.encode_batch(texts[start:start + 20_000], add_special_tokens=False)
            self.ids.extend(np.array(encoding.ids[:400], np.int32) for encoding in batch)
        self.page = []
        for index, row in enumerate(rows):
            before = rows[index - 1] if index else {}
            same = row.get("doc") is not None and (row["source"], row["doc"]) == (before.get("source"), before.get("doc"))
            self.page.append(self.page[-1] if same else index)

    def read(self, index, on_page, own=190, before=90, after=60):
        """Ids of a row, and how many of them are the row itself."""
        ids = [BEGIN, *self.ids[index][:own], END]
        length = len(ids)
        if on_page:
            above, place = [], index - 1
            while place >= 0 and self.page[place] == self.page[index] and len(above) < before:
                above = [*self.ids[place][:before], END, *above]
                place -= 1
            below, place = [], index + 1
            while place < len(self.ids) and self.page[place] == self.page[index] and len(below) < after:
                below = [*below, *self.ids[place][:after], END]
                place += 1
            ids += [END, *above[-before:], END, *below[:after]]
        return ids, length


def tensors(batch):
    """Ids, which of them are no padding and which are the row's own, `[rows, longest]`."""
    longest = (max(len(ids) for ids, _ in batch) + 7) // 8 * 8
    ids = np.full((len(batch), longest), PAD)
    mask, own = np.zeros(ids.shape, bool), np.zeros(ids.shape, bool)
    for row, (values, length) in enumerate(batch):
        ids[row, :len(values)], mask[row, :len(values)], own[row, :length] = values, True, True
    return [torch.from_numpy(array).to(DEVICE) for array in (ids, mask, own)]


def fit(model, texts, rows, use, rng, epochs=2, rate=4e-5, layer_decay=0.9, batch=32, smoothing=0.05):
    """Trains on the rows `use`: AdamW, linear warm-up and decay, cross-entropy weighted by class and confidence."""
    gold = np.array([LABELS.index(rows[index]["label"]) for index in use])
    target = np.full((len(use), len(LABELS)), smoothing / len(LABELS), np.float32)
    target[np.arange(len(use)), gold] += 1 - smoothing
    counts = np.bincount(gold, minlength=len(LABELS))
    class_weight = (counts.mean() / np.maximum(counts, 1)) ** 0.5
    confidence = np.array([{1: 0.5, 2: 0.8}.get(rows[index].get("confidence"), 1.0) for index in use])
    weight = (class_weight[gold] / class_weight[gold].mean() * confidence).astype(np.float32)

    groups = collections.defaultdict(list)
    for name, parameter in model.named_parameters():
        if name.startswith("head"):
            scale = 5
        else:
            depth = model.LAYERS - int(name.split(".")[1]) if name.startswith("layers") else model.LAYERS + 1
            scale = layer_decay ** depth
        groups[rate * scale, 0.01 if parameter.ndim > 1 else 0.0].append(parameter)
    groups = [{"params": parameters, "lr": lr, "weight_decay": decay} for (lr, decay), parameters in groups.items()]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=DEVICE == "cuda")
    rates = [group["lr"] for group in optimizer.param_groups]
    steps, step = epochs * math.ceil(len(use) / batch), 0
    model.train()
    for _ in range(epochs):
        order, batches = rng.permutation(len(use)), []
        for start in range(0, len(use), batch * 40):
            part = [(texts.read(use[row], rng.random() < 0.6), row) for row in order[start:start + batch * 40]]
            part.sort(key=lambda item: len(item[0][0]))
            batches += [part[at:at + batch] for at in range(0, len(part), batch)]
        rng.shuffle(batches)
        for items in batches:
            step += 1
            factor = max(0.0, min(step / (0.06 * steps), (steps - step) / (0.94 * steps)))
            for group, lr in zip(optimizer.param_groups, rates):
                group["lr"] = lr * factor
            index = [row for _, row in items]
            with torch.autocast(DEVICE, torch.bfloat16, enabled=DEVICE == "cuda"):
                logits = model(*tensors([read for read, _ in items]))
            wanted, weights = (torch.from_numpy(array[index]).to(DEVICE) for array in (target, weight))
            loss = (-(wanted * F.log_softmax(logits, 1)).sum(1) * weights).mean()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)


def answers(model, texts, use, on_page, **lengths):
    """Probabilities of the rows `use`, `[rows, labels]`."""
    model.eval()
    result = np.zeros((len(use), len(LABELS)))
    with torch.inference_mode(), torch.autocast(DEVICE, torch.bfloat16, enabled=DEVICE == "cuda"):
        for start in range(0, len(use), 8192):
            part = [(texts.read(index, on_page, **lengths), row) for row, index in enumerate(use[start:start + 8192], start)]
            part.sort(key=lambda item: len(item[0][0]))
            for at in range(0, len(part), 128):
                items = part[at:at + 128]
                logits = model(*tensors([read for read, _ in items]))
                result[[row for _, row in items]] = F.softmax(logits, 1).cpu().numpy()
    return result


def macro_f1(probabilities, rows):
    gold = np.array([LABELS.index(row["label"]) for row in rows])
    best = probabilities.argmax(1)
    return np.mean([2 * ((best == c) & (gold == c)).sum() / max(1, (best == c).sum() + (gold == c).sum()) for c in range(5)])


def sample(unlabelled, weak, count):
    """Numbers of about `count` rows: whole runs of at most 16 of a page, and as many weak ones, evenly over label and site."""
    rng, runs = random.Random(20), []
    for index, row in enumerate(unlabelled):
        last = runs[-1] if runs else None
        same = last and len(last) < 16 and all(unlabelled[last[0]].get(key) == row.get(key) for key in ("source", "doc"))
        if same and row.get("doc") is not None:
            last.append(index)
        else:
            runs.append([index])
    rng.shuffle(runs)
    chosen = []
    for run in runs:
        if len(chosen) < count / 2:
            chosen += run
    pools = collections.defaultdict(lambda: collections.defaultdict(list))
    for index, row in enumerate(weak):
        pools[row["label"]][row["source"]].append(len(unlabelled) + index)
    for sites in pools.values():
        for rows in sites.values():
            rng.shuffle(rows)
    while len(chosen) < count and any(pools.values()):
        for sites in pools.values():
            if sites:
                site = rng.choice(list(sites))
                chosen.append(sites[site].pop())
                if not sites[site]:
                    del sites[site]
    return sorted(chosen)


def key(row):
    """The key of `copydesk distill --scores`: FNV-1a over source, doc and text."""
    value = 0xCBF29CE484222325
    for byte in f"{row['source'] or ''}\0{row.get('doc') or ''}\0{row['text']}".encode():
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def read(path):
    if path.suffix == ".zst":
        text = subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout.decode()
    else:
        text = path.read_text()
    return [json.loads(line) for line in text.split("\n") if line]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("mpnet", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=70_000, help="unlabelled and weak texts that get scores")
    parser.add_argument("--trial", type=int, help="take the first N rows of every file, to see that all runs")
    arguments = parser.parse_args()

    annotated = read(arguments.data / "annotated-train.jsonl")
    own = [row for name in ("comment-kinds", "more-comments")
           for row in read(pathlib.Path(__file__).parents[2] / f"data/{name}.jsonl")]
    dev = read(arguments.data / "gold-dev.jsonl")
    unlabelled, weak = read(arguments.data / "unlabelled.jsonl.zst"), read(arguments.data / "weak.jsonl.zst")
    annotated, own, dev, unlabelled, weak = (part[:arguments.trial] for part in (annotated, own, dev, unlabelled, weak))
    rows = annotated + own
    tokenizer = tokenizers.Tokenizer.from_file(str(arguments.mpnet / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    unscored = unlabelled + weak
    texts, dev_texts, others = (Texts(part, tokenizer) for part in (rows, dev, unscored))
    chosen = sample(unlabelled, weak, arguments.rows)

    sites = {site: group for group, names in enumerate(GROUPS) for site in names}
    fold = [sites.get(row["source"], zlib.crc32(f"{row['source']}|{row.get('doc')}".encode()) % 4) for row in annotated]
    held, mean, dev_mean = np.zeros((len(annotated), len(LABELS))), 0.0, 0.0
    for number in range(4):
        rng = np.random.default_rng(10 + number)
        torch.manual_seed(10 + number)
        model = Classifier(arguments.mpnet).to(DEVICE)
        use = [index for index in range(len(rows)) if index >= len(annotated) or fold[index] != number]
        fit(model, texts, rows, use, rng)
        left = [index for index in range(len(annotated)) if fold[index] == number and annotated[index]["source"] not in sites]
        held[left] = (answers(model, texts, left, False) + 2 * answers(model, texts, left, True)) / 3
        of_dev = answers(model, dev_texts, range(len(dev)), True)
        dev_mean = dev_mean + of_dev / 4
        mean = mean + answers(model, others, chosen, True, own=140, before=70, after=40) / 4
        print(f"fold {number + 1}: development macro-F1 on the page {macro_f1(of_dev, dev):.4f}", flush=True)
    print(f"mean of four: {macro_f1(dev_mean, dev):.4f}")
    pages = [index for index, row in enumerate(annotated) if row["source"] not in sites]
    scored = [(unscored[index], scores) for index, scores in zip(chosen, mean)]
    scored += [(annotated[index], held[index]) for index in pages]
    with open(arguments.out, "w") as out:
        for row, scores in scored:
            values = [round(value, 3) for value in (scores / scores.sum()).tolist()]
            out.write(json.dumps({"key": key(row), "scores": values}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
