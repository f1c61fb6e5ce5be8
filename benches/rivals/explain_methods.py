#!/usr/bin/env python3
"""The deletion test for ways to find the words that a label rests on: words left out, gradients and attention, on the weights of `base`.

    explain_methods.py --models models --data rows.jsonl [--rows 300]

`--models` is the folder that build.py writes. Rows have `text`, and `source` and `doc` for the intervals; each is read alone, in f32, by PyTorch.
A row's words are what stands between blanks. The three heaviest by each way are deleted at once, and the row is read again: "changed" is
how often another label came, and "times" how much oftener than with three words drawn at random, ten times a row. Intervals draw documents
with replacement, 1,000 times. "Readings" is what a way costs, in readings of the whole text; a backward pass counts as two.

- left out: what `copydesk explain` does: each word is read by itself, the 14 that most speak for the label are left out one by one.
- gradient x input: the gradient of the label's log odds in the words' embeddings, times the embeddings, summed over a word's tokens.
- integrated gradients: the same, averaged on the way from the embedding of [PAD] in 16 steps (Sundararajan and others, 2017, arXiv:1703.01365).
- attention rollout: attention averaged over heads, half of it kept on the spot, multiplied over layers (Abnar and Zuidema, 2020,
  arXiv:2005.00928).

Needs torch and transformers beside what requirements.txt names.
"""

import argparse
import re
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import BertConfig, BertModel

from common import load_rows, load_tokenizer

LEFT_OUT, DELETED, DRAWS, STEPS = 14, 3, 10, 16


class Classifier:
    def __init__(self, models):
        folder = models / "copydesk"
        config = BertConfig.from_json_file(folder / "config.json")
        config._attn_implementation = "eager"
        weights = load_file(folder / "model.safetensors")
        head = {name: weights.pop(f"classifier.{name}") for name in ("weight", "bias")}
        self.encoder = BertModel(config, add_pooling_layer=False).eval()
        missing, unknown = self.encoder.load_state_dict(weights, strict=False)
        if unknown or [name for name in missing if "position_ids" not in name]:
            raise SystemExit(f"{folder}: expected the tensors of BERT, lacks {missing}, has {unknown}")
        self.head = torch.nn.Linear(config.hidden_size, len(head["bias"]))
        self.head.load_state_dict(head)
        for parameter in [*self.encoder.parameters(), *self.head.parameters()]:
            parameter.requires_grad_(False)
        self.tokenizer = load_tokenizer(models)
        self.padding = self.tokenizer.token_to_id("[PAD]")

    def embeddings(self, ids):
        return self.encoder.embeddings.word_embeddings(torch.tensor([ids]))

    def logits(self, embeddings, **options):
        """Of texts of one length, `[texts, labels]`, and what the encoder gave besides."""
        hidden = self.encoder(inputs_embeds=embeddings, **options)
        return self.head(hidden.last_hidden_state[:, 0]), hidden

    @torch.no_grad()
    def read(self, texts, size=16):
        """Logits of texts, `[texts, labels]`."""
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        order = sorted(range(len(ids)), key=lambda text: len(ids[text]))
        logits = [None] * len(ids)
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            width = max(len(ids[text]) for text in batch)
            padded = torch.tensor([ids[text] + [self.padding] * (width - len(ids[text])) for text in batch])
            mask = torch.tensor([[1] * len(ids[text]) + [0] * (width - len(ids[text])) for text in batch])
            hidden = self.encoder(input_ids=padded, attention_mask=mask).last_hidden_state[:, 0]
            for text, row in zip(batch, self.head(hidden)):
                logits[text] = row
        return torch.stack(logits)


def log_odds(logits, label):
    logs = logits.log_softmax(-1)
    others = torch.cat([logs[..., :label], logs[..., label + 1 :]], -1)
    return logs[..., label] - others.logsumexp(-1)


def without(text, spans, gone):
    """The text without some words."""
    kept, start = [], 0
    for word in sorted(gone):
        kept.append(text[start : spans[word][0]].strip())
        start = spans[word][1]
    kept.append(text[start:].strip())
    return " ".join(part for part in kept if part)


class Row:
    def __init__(self, model, text):
        self.model, self.text = model, text
        self.spans = [word.span() for word in re.finditer(r"\S+", text)]
        encoding = model.tokenizer.encode(text)
        self.ids = encoding.ids
        starts = np.array([start for start, _ in self.spans])
        # Of each token its word; [CLS] and [SEP] have none.
        self.words = [
            int(np.searchsorted(starts, start, "right")) - 1 if end > start else None for start, end in encoding.offsets
        ]
        logits = model.read([text])[0]
        self.label = int(logits.argmax())
        self.before = log_odds(logits, self.label)

    def by_word(self, of_tokens):
        weights = np.zeros(len(self.spans))
        for word, value in zip(self.words, of_tokens):
            if word is not None:
                weights[word] += float(value)
        return weights

    def gradients(self, embeddings):
        embeddings = embeddings.detach().requires_grad_(True)
        logits, _ = self.model.logits(embeddings)
        return torch.autograd.grad(log_odds(logits, self.label).sum(), embeddings)[0]

    def left_out(self):
        alone = log_odds(self.model.read([self.text[start:end] for start, end in self.spans]), self.label)
        chosen = torch.argsort(alone, descending=True, stable=True)[:LEFT_OUT].tolist()
        versions = self.model.read([without(self.text, self.spans, [word]) for word in chosen])
        weights = np.full(len(self.spans), -np.inf)
        weights[chosen] = (self.before - log_odds(versions, self.label)).numpy()
        return weights

    def gradient_times_input(self):
        embeddings = self.model.embeddings(self.ids)
        return self.by_word((self.gradients(embeddings) * embeddings)[0].sum(-1))

    def integrated_gradients(self):
        embeddings = self.model.embeddings(self.ids)
        start = self.model.embeddings([self.model.padding] * len(self.ids))
        # [CLS] and [SEP] stay: without them the model reads nothing that it knows.
        start[0, [0, -1]] = embeddings[0, [0, -1]]
        shares = (torch.arange(STEPS) + 0.5) / STEPS
        way = start + shares[:, None, None] * (embeddings - start)
        return self.by_word((self.gradients(way).mean(0) * (embeddings - start)[0]).sum(-1))

    @torch.no_grad()
    def attention_rollout(self):
        _, hidden = self.model.logits(self.model.embeddings(self.ids), output_attentions=True)
        seen = torch.eye(len(self.ids))
        for layer in hidden.attentions:
            seen = (0.5 * layer[0].mean(0) + 0.5 * torch.eye(len(self.ids))) @ seen
        return self.by_word(seen[0])


WAYS = {
    "left out": (Row.left_out, "17 to 18"),
    "gradient x input": (Row.gradient_times_input, "3"),
    "integrated gradients": (Row.integrated_gradients, f"{3 * STEPS}"),
    "attention rollout": (Row.attention_rollout, "1"),
}


def interval(values):
    return f"[{np.percentile(values, 2.5):.2f}, {np.percentile(values, 97.5):.2f}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=300, help="taken evenly from those of more than three words")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    random = np.random.default_rng(1)
    model = Classifier(arguments.models)
    rows = [row for row in load_rows(arguments.data) if len(row["text"].split()) > DELETED]
    rows = rows[:: max(1, len(rows) // arguments.rows)][: arguments.rows]
    changed, documents = [], []
    for number, given in enumerate(rows):
        row = Row(model, given["text"])
        chosen = [np.argsort(-way(row), kind="stable")[:DELETED] for way, _ in WAYS.values()]
        chosen += [random.permutation(len(row.spans))[:DELETED] for _ in range(DRAWS)]
        logits = model.read([without(row.text, row.spans, words.tolist()) for words in chosen])
        other = (logits.argmax(-1) != row.label).double().numpy()
        changed.append([*other[: len(WAYS)], other[len(WAYS) :].mean()])
        documents.append((given.get("source"), given.get("doc", number)))
    changed = np.array(changed)
    units = sorted(set(documents), key=str)
    sums = np.array([changed[[document == unit for document in documents]].sum(0) for unit in units])
    drawn = np.array([sums[random.integers(len(units), size=len(units))].sum(0) for _ in range(1000)])
    print(f"{len(rows)} rows of {len(units)} documents\n\n| words | readings | changed | times random |\n|---|---|---|---|")
    total = changed.sum(0)
    for way, (name, (_, readings)) in enumerate(WAYS.items()):
        times = interval(drawn[:, way] / drawn[:, -1])
        print(f"| {name} | {readings} | {total[way] / len(rows):.3f} | {total[way] / total[-1]:.2f} {times} |")
    print(f"| three at random | 0 | {total[-1] / len(rows):.3f} | 1 |")


if __name__ == "__main__":
    main()
