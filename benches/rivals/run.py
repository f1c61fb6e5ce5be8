#!/usr/bin/env python3
"""Times copydesk and its rivals on the same weights and texts, interleaved: A B C A B C …

    run.py --models DIR --copydesk PROGRAM --runs ../runs/NAME.jsonl

Every engine is a process of its own that answers requests over the line protocol of `copydesk bench --protocol`. First
each gets its best batch size from a sweep; then all take turns. Raw answers go to --runs, a table to standard output.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = ["onnxruntime-fp32", "onnxruntime-int8", "openvino-int8", "openvino-int8-bf16"]
RUST = ["rten-int8", "candle-f32"]
OURS = ["copydesk-int8", "copydesk-f32"]
REFERENCE = "onnxruntime-fp32"
PACKAGES = ["onnxruntime", "openvino", "nncf", "tokenizers"]


def command(engine, mode, arguments):
    models = arguments.models
    if engine in OURS:
        precision = engine.removeprefix("copydesk-")
        return [
            arguments.copydesk, "bench", "--protocol", "--mode", mode, "--workload", str(models / "workload.jsonl"),
            "--model", str(models / "copydesk"), "--precision", precision,
        ]
    if engine in RUST:
        return [arguments.rust, engine, "--mode", mode, "--models", str(models)]
    return [sys.executable, str(HERE / "worker.py"), engine, "--mode", mode, "--models", str(models)]


class Engine:
    def __init__(self, name, mode, arguments):
        self.name = name
        threads = "1" if mode in ("1", "2s") else "2"
        total = "1" if mode == "1" else "2"
        limits = {"OMP_NUM_THREADS": threads, "RAYON_NUM_THREADS": total, "RTEN_NUM_THREADS": total}
        self.process = subprocess.Popen(
            command(name, mode, arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **limits},
        )
        self.receive()

    def receive(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended with status {self.process.wait()}")
        return json.loads(line)

    def cpu_seconds(self):
        """Of the process with all its threads; what another program took does not count."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ask(self, **request):
        before = self.cpu_seconds()
        print(json.dumps(request), file=self.process.stdin, flush=True)
        answer = self.receive()
        return {**answer, "cpu": round(self.cpu_seconds() - before, 2)}

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def best_batches(engines, arguments, order):
    """The batch size with the most tokens per second, for each engine."""
    best = {}
    for engine in engines:
        rates = {}
        for batch in arguments.batches:
            answer = engine.ask(batch=batch, order=order, text=0, stride=arguments.sweep_stride)
            rates[batch] = answer["tokens"] / answer["secs"]
        best[engine.name] = max(rates, key=rates.get)
    return best


def measure(mode, arguments, record):
    engines = [Engine(name, mode, arguments) for name in arguments.engines]
    for engine in engines:
        engine.ask(batch=8, order="sorted", text=0, limit=64)
    batches = {order: best_batches(engines, arguments, order) for order in arguments.orders}
    for repeat in range(arguments.repeats):
        for order in arguments.orders:
            for text in arguments.text:
                for engine in engines:
                    batch = batches[order][engine.name]
                    request = {"batch": batch, "order": order, "text": text, "limit": arguments.limit}
                    answer = engine.ask(**request)
                    load = os.getloadavg()[0]
                    record({"engine": engine.name, "mode": mode, "repeat": repeat, **request, **answer, "load": load})
    if mode == arguments.modes[0]:
        agreement(engines, record)
    for engine in engines:
        engine.close()


def agreement(engines, record):
    """How often the best label is that of the reference in single precision."""
    import numpy

    logits = {}
    with tempfile.TemporaryDirectory() as folder:
        for engine in engines:
            path = os.path.join(folder, engine.name)
            engine.ask(batch=8, order="sorted", text=0, limit=200, dump=path)
            logits[engine.name] = numpy.fromfile(path, "<f4").reshape(-1, 5)
    reference = logits.get(REFERENCE)
    for name, rows in logits.items():
        if reference is not None:
            same = float((rows.argmax(1) == reference.argmax(1)).mean())
            error = float(numpy.sqrt(((rows - reference) ** 2).mean()) / reference.std())
            record({"engine": name, "same_label": same, "error_over_deviation": round(error, 6)})


def host(arguments):
    """What the figures were measured on and with."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), [])
    wanted = ["avx2", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8"]
    copydesk = subprocess.run([arguments.copydesk, "--version"], capture_output=True, text=True, check=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True)
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "instruction_sets": [flag for flag in wanted if flag in flags],
        "kernel": platform.release(),
        "commit": commit.stdout.strip(),
        "versions": {"copydesk": copydesk.stdout.split()[-1], **{name: version(name) for name in PACKAGES}},
    }


def table(records):
    """Medians as Markdown; in brackets the spread (max - min) / median."""
    same = {row["engine"]: row["same_label"] for row in records if "same_label" in row}
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
        print(f"\nMode {mode}, {order}, {inside}:\n")
        print("| engine | paragraphs/s | tokens/s | per CPU second | batch | padding | same label | of the fastest rival |")
        print("|---|---|---|---|---|---|---|---|")
        for name in sorted(engines, key=medians.get, reverse=True):
            rows, values = engines[name], rate[name]
            spread = (max(values) - min(values)) / medians[name]
            tokens = statistics.median(row["tokens"] / row["secs"] for row in rows)
            per_cpu = statistics.median(row["n"] / max(row["cpu"], 0.01) for row in rows)
            padding = rows[0]["padded"] / rows[0]["tokens"]
            ratio = f"{medians[name] / fastest:.2f}" if fastest else ""
            print(
                f"| {name} | {medians[name]:.1f} ±{spread:.0%} | {tokens:.0f} | {per_cpu:.1f} | {rows[0]['batch']} "
                f"| {padding:.2f} | {same.get(name, float('nan')):.3f} | {ratio} |"
            )


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = lambda text: text.split(",")
    numbers = lambda text: [int(part) for part in text.split(",")]
    parser.add_argument("--models", type=Path, required=True, help="what build.py wrote")
    parser.add_argument("--copydesk", required=True, help="the built command")
    parser.add_argument("--rust", default=str(HERE / "rust" / "target" / "release" / "rivals"))
    parser.add_argument("--runs", type=Path, required=True, help="file for the raw answers, a JSON object a line")
    parser.add_argument("--engines", type=names, default=PYTHON + RUST + OURS)
    parser.add_argument("--modes", type=names, default=["1", "2s"])
    parser.add_argument("--orders", type=names, default=["sorted", "arrival"])
    parser.add_argument("--text", type=numbers, default=[0, 1], help="1 has tokenisation inside the clock")
    parser.add_argument("--batches", type=numbers, default=[1, 8, 32], help="batch sizes to choose from")
    parser.add_argument("--limit", type=int, default=400, help="texts")
    parser.add_argument("--sweep-stride", type=int, default=20, help="the sweep takes each so many-th batch of all texts")
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


def main():
    arguments = parse()
    records = []
    with open(arguments.runs, "w") as file:

        def record(row):
            records.append(row)
            print(json.dumps(row), file=file, flush=True)

        record({"host": host(arguments), "command": sys.argv[1:]})
        for mode in arguments.modes:
            measure(mode, arguments, record)
    print(f"```json\n{json.dumps(records[0]['host'])}\n```")
    table(records)


if __name__ == "__main__":
    main()
