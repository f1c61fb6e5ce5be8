#!/usr/bin/env python3
"""Training speed of `copydesk train` beside PyTorch: same base, same rows, same batch size and lengths, in turns.

  training_compare.py --data annotated-train.jsonl --base DIR --copydesk ../../target/release/copydesk --runs ../runs/training-HOST.jsonl

Needs torch and transformers beside requirements.txt, and a `copydesk` built with the feature train. Both train all parameters with AdamW on
batches of 32 texts of like length, cut at 160 tokens. Tokens count without padding. The first PyTorch steps warm up outside the clock;
copydesk's clock is that of its training.json, which covers every step of the epoch and no evaluation.
"""
import argparse, json, os, pathlib, random, statistics, subprocess, tempfile, time

LABELS = ["reporting", "opinion", "comment_spam", "quotation", "other"]
BATCH, LENGTH = 32, 160


def pytorch(args, rows, bf16):
    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    tokenizer = AutoTokenizer.from_pretrained(args.base)
    encoder = AutoModel.from_pretrained(args.base, add_pooling_layer=False)
    head = torch.nn.Linear(encoder.config.hidden_size, len(LABELS))
    encoder.train()
    optimizer = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], lr=7e-5)
    ids = [tokenizer(row["text"], truncation=True, max_length=LENGTH)["input_ids"] for row in rows]
    order = sorted(range(len(rows)), key=lambda index: len(ids[index]))
    batches = [order[at:at + BATCH] for at in range(0, len(order), BATCH)]
    random.Random(1).shuffle(batches)
    tokens, start = 0, None
    for step, batch in enumerate(batches):
        if step == 3:
            tokens, start = 0, time.perf_counter()
        longest = max(len(ids[index]) for index in batch)
        inputs = torch.zeros(len(batch), longest, dtype=torch.long)
        mask = torch.zeros(len(batch), longest, dtype=torch.long)
        for row, index in enumerate(batch):
            inputs[row, :len(ids[index])] = torch.tensor(ids[index])
            mask[row, :len(ids[index])] = 1
            tokens += len(ids[index])
        labels = torch.tensor([LABELS.index(rows[index]["label"]) for index in batch])
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = head(encoder(input_ids=inputs, attention_mask=mask).last_hidden_state[:, 0])
        loss = torch.nn.functional.cross_entropy(logits.float(), labels, label_smoothing=0.05)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*encoder.parameters(), *head.parameters()], 1.0)
        optimizer.step()
    return tokens / (time.perf_counter() - start)


def copydesk(args, rows):
    work = pathlib.Path(tempfile.mkdtemp())
    (work / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (work / "dev.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:20]))
    (work / "settings.json").write_text(json.dumps(
        {"batch_size": BATCH, "max_tokens": LENGTH, "workers": args.threads, "weak_epochs": 0, "epochs": 1, "page": None}))
    # glibc would give the large buffers back to the system after every step; see docs/training.md.
    keep = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "17179869184", "MALLOC_TOP_PAD_": "268435456"}
    subprocess.run([args.copydesk, "train", "--quiet", "--data", work / "rows.jsonl", "--dev", work / "dev.jsonl", "--base", args.base,
                    "--settings", work / "settings.json", "--out", work / "out", "--checkpoint-every", "0"],
                   check=True, env=os.environ | keep, capture_output=True)
    epoch = json.loads((work / "out/training.json").read_text())["epochs"][0]
    return epoch["tokens"] / epoch["seconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--base", required=True)
    parser.add_argument("--copydesk", required=True)
    parser.add_argument("--rows", type=int, default=1600)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=pathlib.Path, required=True)
    args = parser.parse_args()
    rows = [json.loads(line) for line in open(args.data, encoding="utf-8")]
    rows = [{"text": row["text"], "label": row["label"]} for row in random.Random(7).sample(rows, args.rows)]
    engines = {
        "copydesk f32": lambda: copydesk(args, rows),
        "PyTorch bf16 autocast": lambda: pytorch(args, rows, True),
        "PyTorch f32": lambda: pytorch(args, rows, False),
    }
    rates = {name: [] for name in engines}
    args.runs.parent.mkdir(parents=True, exist_ok=True)
    with open(args.runs, "w") as raw:
        for repeat in range(args.repeats):
            for name, run in engines.items():
                rates[name].append(run())
                raw.write(json.dumps({"engine": name, "repeat": repeat, "tokens_per_second": rates[name][-1],
                                      "load": os.getloadavg()[0]}) + "\n")
                raw.flush()
    for name, values in rates.items():
        median = statistics.median(values)
        print(f"{name:24}{median:>8.0f} tokens/s  spread {(max(values) - min(values)) / median:.0%}")


if __name__ == "__main__":
    main()
