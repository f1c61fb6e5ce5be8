#!/usr/bin/env python3
"""fastText beside `copydesk label` on the same rows: quality and end-to-end speed of both, in turns.

  fasttext_compare.py --train annotated-train.jsonl --dev gold-dev.jsonl --copydesk ../../target/release/copydesk --runs ../runs/fasttext-HOST.jsonl

Needs the packages of requirements.txt. fastText learns word bigrams and character 2- to 5-grams of the
annotated rows; its clock covers reading the rows, prediction and writing, as copydesk's does.
"""
import argparse, json, pathlib, platform, statistics, subprocess, tempfile, time

from common import LABELS, load_rows
from shallow import FastText, macro_f1


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
    model = FastText(load_rows(args.train), work)
    gold = [row["label"] for row in load_rows(args.dev)]

    def run_fasttext():
        start = time.perf_counter()
        read = load_rows(args.dev)
        predicted = model.predict([row["text"] for row in read])
        with open(work / "fasttext.jsonl", "w", encoding="utf-8") as out:
            out.writelines(json.dumps(row | {"label": label}) + "\n" for row, label in zip(read, predicted))
        return time.perf_counter() - start, predicted

    def run_copydesk(pages):
        out = work / "copydesk.jsonl"
        command = [args.copydesk, "label", "--quiet", "--unit", "record", "--threads", str(args.threads), args.dev, "-o", str(out)]
        start = time.perf_counter()
        subprocess.run(command + (["--page-field", "doc"] if pages else []), check=True)
        return time.perf_counter() - start, [row["label"] for row in load_rows(out)]

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
                quality[name] = macro_f1(gold, predicted, LABELS)
                raw.write(json.dumps({"engine": name, "repeat": repeat, "seconds": elapsed, "macro_f1": quality[name]}) + "\n")
    print(f"{'engine':20}{'rows/s':>10}{'spread':>9}{'macro-F1':>10}")
    for name, times in seconds.items():
        median = statistics.median(times)
        spread = (max(times) - min(times)) / median
        print(f"{name:20}{len(gold) / median:>10.0f}{spread:>8.0%}{quality[name]:>11.3f}")


if __name__ == "__main__":
    main()
