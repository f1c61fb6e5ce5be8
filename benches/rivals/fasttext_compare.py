#!/usr/bin/env python3
"""fastText beside `copydesk label` on the same rows: quality and end-to-end speed of both, in turns.

  fasttext_compare.py --train annotated-train.jsonl --dev gold-dev.jsonl --copydesk ../../target/release/copydesk --runs ../runs/fasttext-HOST.jsonl

Needs the packages of requirements.txt and `fasttext-numpy2-wheel`. fastText learns word bigrams and character 2- to 5-grams of the
annotated rows; its clock covers reading the rows, prediction and writing, as copydesk's does.
"""
import argparse, json, pathlib, platform, re, statistics, subprocess, tempfile, time

import fasttext

LABELS = ["reporting", "opinion", "comment_spam", "quotation", "other"]


def rows(path):
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def words(text):
    return re.sub(r"(\W)", r" \1 ", re.sub(r"\s+", " ", text.lower())).strip() or "."


def macro_f1(gold, predicted):
    scores = []
    for label in LABELS:
        hits = sum(g == p == label for g, p in zip(gold, predicted))
        scores.append(2 * hits / max(gold.count(label) + predicted.count(label), 1))
    return sum(scores) / len(scores)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True)
    parser.add_argument("--dev", required=True)
    parser.add_argument("--copydesk", required=True)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=pathlib.Path, required=True)
    args = parser.parse_args()

    work = pathlib.Path(tempfile.mkdtemp())
    with open(work / "train.txt", "w", encoding="utf-8") as out:
        out.writelines(f"__label__{row['label']} {words(row['text'])}\n" for row in rows(args.train))
    # One thread: fastText's training depends on the order in which threads update the weights.
    model = fasttext.train_supervised(str(work / "train.txt"), wordNgrams=2, minn=2, maxn=5, dim=50, epoch=15, lr=0.3,
                                      bucket=500_000, thread=1, verbose=0)
    gold = [row["label"] for row in rows(args.dev)]

    def run_fasttext():
        start = time.perf_counter()
        read = rows(args.dev)
        labels = model.predict([words(row["text"]) for row in read])[0]
        predicted = [label[0].removeprefix("__label__") for label in labels]
        with open(work / "fasttext.jsonl", "w", encoding="utf-8") as out:
            out.writelines(json.dumps(row | {"label": label}) + "\n" for row, label in zip(read, predicted))
        return time.perf_counter() - start, predicted

    def run_copydesk(pages):
        out = work / "copydesk.jsonl"
        command = [args.copydesk, "label", "--quiet", "--unit", "record", "--threads", str(args.threads), args.dev, "-o", str(out)]
        start = time.perf_counter()
        subprocess.run(command + (["--page-field", "doc"] if pages else []), check=True)
        return time.perf_counter() - start, [row["label"] for row in rows(out)]

    engines = {"fasttext": run_fasttext, "copydesk": lambda: run_copydesk(False), "copydesk on pages": lambda: run_copydesk(True)}
    seconds, quality = {name: [] for name in engines}, {}
    args.runs.parent.mkdir(parents=True, exist_ok=True)
    with open(args.runs, "w") as raw:
        host = {"host": platform.processor() or platform.machine(), "threads": args.threads, "rows": len(gold)}
        raw.write(json.dumps(host) + "\n")
        for repeat in range(args.repeats):
            for name, run in engines.items():
                elapsed, predicted = run()
                seconds[name].append(elapsed)
                quality[name] = macro_f1(gold, predicted)
                raw.write(json.dumps({"engine": name, "repeat": repeat, "seconds": elapsed, "macro_f1": quality[name]}) + "\n")
    print(f"{'engine':20}{'rows/s':>10}{'spread':>9}{'macro-F1':>10}")
    for name, times in seconds.items():
        median = statistics.median(times)
        spread = (max(times) - min(times)) / median
        print(f"{name:20}{len(gold) / median:>10.0f}{spread:>8.0%}{quality[name]:>11.3f}")


if __name__ == "__main__":
    main()
