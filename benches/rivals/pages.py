#!/usr/bin/env python3
"""The shipped models' time over whole pages, end to end: a process that starts, reads, labels and writes. They take turns.

    pages.py --copydesk PROGRAM --data PAGES.jsonl[.zst] --runs ../runs/pages.jsonl [--rows 10000] [--threads 1] [--repeats 5]

PAGES are JSON Lines with text and doc, pages in order. Whole pages are drawn evenly over the file until there are enough rows. A line of
the output is one run; the last one has medians, spread and each model's share of base's time, the median over the turns.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from engines import host

MODELS = ["fast", "auto", "base"]


def pages(path):
    """The lines of each page."""
    command = ["zstd", "-dc", path] if path.endswith(".zst") else ["cat", path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        for _, lines in itertools.groupby(process.stdout, lambda line: json.loads(line)["doc"]):
            yield list(lines)
    if process.returncode != 0:
        sys.exit(f"pages.py: {' '.join(command)} ended with status {process.returncode}")


def draw(path, count):
    """About `count` rows of whole pages, every k-th page of the file."""
    every = list(pages(path))
    step = max(1, sum(map(len, every)) // count)
    return [line for page in every[::step] for line in page]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--copydesk", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--runs", required=True)
    parser.add_argument("--rows", type=int, default=10000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    rows = draw(arguments.data, arguments.rows)
    facts = host(arguments.copydesk, [])
    seconds = {model: [] for model in MODELS}
    with tempfile.TemporaryDirectory() as folder, open(arguments.runs, "w", encoding="utf-8") as runs:
        data, out = os.path.join(folder, "pages.jsonl"), os.path.join(folder, "out.jsonl")
        with open(data, "w", encoding="utf-8") as file:
            file.writelines(rows)
        options = ["--quiet", "--unit", "record", "--page-field", "doc", "--threads", str(arguments.threads)]
        for turn in range(arguments.repeats):
            for model in MODELS:
                command = [arguments.copydesk, "label", *options, "--model", model, data, "-o", out]
                start = time.perf_counter()
                subprocess.run(command, check=True)
                seconds[model].append(time.perf_counter() - start)
                run = {"turn": turn, "model": model, "seconds": round(seconds[model][-1], 3)}
                runs.write(json.dumps(run) + "\n")
        summary = {
            **facts, "threads": arguments.threads, "rows": len(rows),
            "models": {
                model: {
                    "paragraphs_per_second": round(len(rows) / statistics.median(times), 1),
                    "seconds": [round(value, 3) for value in (min(times), statistics.median(times), max(times))],
                    "of_base": round(statistics.median(a / b for a, b in zip(times, seconds["base"])), 4),
                }
                for model, times in seconds.items()
            },
        }
        runs.write(json.dumps(summary) + "\n")
    json.dump(summary, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
