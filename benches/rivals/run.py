#!/usr/bin/env python3
"""Times copydesk and its rivals on the same weights and texts, interleaved: A B C A B C …

    run.py --models DIR --copydesk PROGRAM --runs ../runs/NAME.jsonl

First each engine gets its best batch size from a sweep; then all take turns. Raw answers go to --runs, the table to standard output
and beside them, as NAME.md. An engine that ends or does not answer in time is killed, and noted as failed.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from engines import OURS, PYTHON, PYTHON_PACKAGES, RUST, Field, add_arguments, host, numbers, parse, publish, rust_versions

REFERENCE = "onnxruntime-fp32"

# Enough to see that everything works; no figure of it means anything.
QUICK = {
    "modes": ["1", "2s"], "orders": ["sorted"], "text": [1], "batches": [4, 16], "limit": 24, "repeats": 2, "agreement": 32,
    "time_limit": 30,
}


def measure(mode, arguments, record):
    field = Field(arguments.engines, mode, arguments, arguments.models / "workload.jsonl", record)
    for name in field.names():
        field.ask(name, batch=8, order="sorted", text=0, limit=min(arguments.limit, 64))
    batches = {order: field.best_batches(order, arguments.batches, arguments.limit) for order in arguments.orders}
    for repeat in range(arguments.repeats):
        for order in arguments.orders:
            for text in arguments.text:
                for name in field.names():
                    request = {"batch": batches[order][name], "order": order, "text": text, "limit": arguments.limit}
                    answer = field.ask(name, **request)
                    if answer:
                        load = os.getloadavg()[0]
                        record({"engine": name, "mode": mode, "repeat": repeat, **request, **answer, "load": load})
    if mode == arguments.modes[0]:
        agreement(field, arguments.agreement, record)
    field.close()


def agreement(field, count, record):
    """How often the best label is that of the reference in single precision."""
    import numpy

    logits = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in field.names():
            path = os.path.join(folder, name)
            if field.ask(name, batch=8, order="sorted", text=0, limit=count, dump=path):
                logits[name] = numpy.fromfile(path, "<f4").reshape(-1, 5)
    reference = logits.get(REFERENCE)
    for name, rows in logits.items():
        if reference is not None:
            same = float((rows.argmax(1) == reference.argmax(1)).mean())
            error = float(numpy.sqrt(((rows - reference) ** 2).mean()) / reference.std())
            record({"engine": name, "same_label": same, "error_over_deviation": round(error, 6)})


def table(records):
    """Medians as Markdown; ± is the spread (max - min) / median."""
    same = {row["engine"]: f"{row['same_label']:.3f}" for row in records if "same_label" in row}
    failed = [row for row in records if "failed" in row]
    groups = {}
    for row in records:
        if "secs" in row:
            key = (row["mode"], row["order"], row["text"])
            engines = groups.setdefault(key, {})
            engines.setdefault(row["engine"], []).append(row)
    for (mode, order, text), engines in groups.items():
        rate = {name: [row["n"] / row["secs"] for row in rows] for name, rows in engines.items()}
        medians = {name: statistics.median(values) for name, values in rate.items()}
        fastest = max((value for name, value in medians.items() if name not in OURS), default=None)
        inside = "with tokenisation" if text else "encoder alone"
        yield f"\nMode {mode}, {order}, {inside}, medians of {max(map(len, rate.values()))}:\n"
        yield "| engine | paragraphs/s | spread | tokens/s | per CPU second | batch | padding | same label | of the fastest rival |"
        yield "|---|---|---|---|---|---|---|---|---|"
        for name in sorted(engines, key=medians.get, reverse=True):
            rows, values = engines[name], rate[name]
            spread = (max(values) - min(values)) / medians[name]
            tokens = statistics.median(row["tokens"] / row["secs"] for row in rows)
            per_cpu = statistics.median(row["n"] / max(row["cpu"], 0.01) for row in rows)
            padding = rows[0]["padded"] / rows[0]["tokens"]
            ratio = f"{medians[name] / fastest:.2f}" if fastest else ""
            yield (
                f"| {name} | {medians[name]:.1f} | ±{spread:.0%} | {tokens:.0f} | {per_cpu:.1f} | {rows[0]['batch']} "
                f"| {padding:.2f} | {same.get(name, '–')} | {ratio} |"
            )
        for row in failed:
            if row["mode"] == mode:
                yield f"| {row['engine']} | failed: {row['failed']} | | | | | | | |"
    if not groups:
        yield from (f"{row['engine']}, mode {row['mode']}: failed: {row['failed']}" for row in failed)


def arguments_of_run():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = lambda text: text.split(",")
    add_arguments(parser, batches=[1, 8, 32], repeats=3, time_limit=120)
    parser.add_argument("--engines", type=names, default=PYTHON + RUST + OURS)
    parser.add_argument("--modes", type=names, default=["1", "2s"], help="first the one whose labels are compared")
    parser.add_argument("--orders", type=names, default=["sorted", "arrival"])
    parser.add_argument("--text", type=numbers, default=[0, 1], help="1 has tokenisation inside the clock")
    parser.add_argument("--limit", type=int, default=400, help="texts")
    parser.add_argument("--agreement", type=int, default=200, help="texts of which the labels are compared")
    return parse(parser, QUICK)


def main():
    arguments = arguments_of_run()
    records = []
    arguments.runs.parent.mkdir(parents=True, exist_ok=True)
    with open(arguments.runs, "w") as file:

        def record(row):
            records.append(row)
            print(json.dumps(row), file=file, flush=True)

        facts = host(arguments.copydesk, PYTHON_PACKAGES)
        facts["versions"] |= rust_versions()
        # Where things lie on this machine is nobody's business.
        command = [Path(part).name if Path(part).is_absolute() else part for part in sys.argv[1:]]
        record({"host": facts, "command": command})
        for mode in arguments.modes:
            measure(mode, arguments, record)
    publish(facts, table(records), arguments.runs)


if __name__ == "__main__":
    main()
