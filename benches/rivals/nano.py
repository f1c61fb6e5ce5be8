#!/usr/bin/env python3
"""The fastest ways to label a corpus on the same rows, one thread, in turns: quality, and rows per second from file to file.

    nano.py --train annotated-train.jsonl --dev gold-dev.jsonl --copydesk PROGRAM --static ../../models/base --runs ../runs/nano.jsonl

copydesk is a process that starts, reads its model and the rows, labels them on their pages and writes rows. The rivals are loaded
before their clock starts; it covers reading the rows, prediction, and writing the rows with a label. The rows of --dev are written
--copies times one after the other, with pages of their own, so that starting a process is a small part. CPU seconds stand beside wall
time: they tell how disturbed a run was. Needs fasttext-numpy2-wheel, numpy, scikit-learn, tokenizers and safetensors of requirements.txt.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

# Before numpy and its like are loaded: they read it once.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}

from common import LABELS, load_rows
from engines import host
from shallow import FastText, Static, macro_f1

PACKAGES = ["fasttext-numpy2-wheel", "numpy", "scikit-learn", "tokenizers"]


class Loaded:
    def __init__(self, model, rows, out):
        self.model, self.rows, self.out = model, rows, out

    def run(self):
        wall, cpu = time.perf_counter(), time.process_time()
        rows = load_rows(self.rows)
        labels = self.model.predict([row["text"] for row in rows])
        with open(self.out, "w", encoding="utf-8") as out:
            out.writelines(json.dumps({**row, "label": label}) + "\n" for row, label in zip(rows, labels))
        return time.perf_counter() - wall, time.process_time() - cpu, labels


class Copydesk:
    def __init__(self, program, model, on_pages, rows, out):
        pages = ["--page-field", "doc"] if on_pages else []
        options = ["--quiet", "--unit", "record", "--threads", "1", "--model", model]
        self.command = [program, "label", *options, *pages, str(rows), "-o", str(out)]
        self.out = out

    def run(self):
        def used():
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)
            return usage.ru_utime + usage.ru_stime

        wall, cpu = time.perf_counter(), used()
        subprocess.run(self.command, check=True)
        wall, cpu = time.perf_counter() - wall, used() - cpu
        return wall, cpu, [row["label"] for row in load_rows(self.out)]


def engines(arguments, folder, rows):
    train = load_rows(arguments.train)
    found = {}
    for name, characters in (("fastText, words and characters", True), ("fastText, words", False)):
        found[name] = Loaded(FastText(train, folder, characters), rows, folder / "fasttext.jsonl")
    if arguments.static:
        found["static embeddings"] = Loaded(Static(train, arguments.static), rows, folder / "static.jsonl")
    for model in arguments.copydesk_models.split(","):
        name = f"copydesk {Path(model).name}"
        found[name] = Copydesk(arguments.copydesk, model, True, rows, folder / "pages.jsonl")
        found[f"{name}, each row alone"] = Copydesk(arguments.copydesk, model, False, rows, folder / "alone.jsonl")
    return found


def table(runs, count):
    yield "| one thread | macro-F1 | rows/s | spread | rows per CPU second |"
    yield "|---|---|---|---|---|"
    for name, answers in runs.items():
        walls, cpus = [count / wall for wall, _, _ in answers], [count / cpu for _, cpu, _ in answers]
        rate = statistics.median(walls)
        spread = (max(walls) - min(walls)) / rate
        yield f"| {name} | {answers[0][2]:.3f} | {rate:,.0f} | ±{spread:.0%} | {statistics.median(cpus):,.0f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True, help="labelled rows that the rivals learn from")
    parser.add_argument("--dev", type=Path, required=True, help="labelled rows that everything is measured on")
    parser.add_argument("--copydesk", required=True, help="the built command")
    parser.add_argument("--copydesk-models", default="nano,fast")
    parser.add_argument("--static", type=Path, help="a model's folder, for static embeddings from its word table")
    parser.add_argument("--copies", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--runs", type=Path, required=True, help="file for the raw answers, a JSON object a line")
    arguments = parser.parse_args()
    once = load_rows(arguments.dev)
    gold = [row["label"] for row in once]
    with tempfile.TemporaryDirectory() as name, open(arguments.runs, "w") as raw:
        folder = Path(name)
        rows = folder / "rows.jsonl"
        with open(rows, "w", encoding="utf-8") as out:
            for copy in range(arguments.copies):
                pages = ({**row, "doc": row["doc"] and f"{row['doc']} {copy}"} for row in once)
                out.writelines(json.dumps(row) + "\n" for row in pages)
        facts = host(arguments.copydesk, PACKAGES)
        print(json.dumps({"host": facts, "threads": 1, "rows": len(once) * arguments.copies}), file=raw, flush=True)
        running = engines(arguments, folder, rows)
        runs = {name: [] for name in running}
        for repeat in range(arguments.repeats):
            for name, engine in running.items():
                wall, cpu, labels = engine.run()
                quality = macro_f1(gold, labels[: len(gold)], LABELS)
                runs[name].append((wall, cpu, quality))
                answer = {"engine": name, "repeat": repeat, "secs": wall, "cpu": cpu, "macro_f1": quality, "load": os.getloadavg()[0]}
                print(json.dumps(answer), file=raw, flush=True)
    lines = [f"```json\n{json.dumps(facts)}\n```", "", *table(runs, len(once) * arguments.copies)]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    arguments.runs.with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
