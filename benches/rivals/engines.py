"""Engines as processes of their own that answer requests over the line protocol of `copydesk bench --protocol`.

None is trusted to answer: one that ends or keeps silent past the time limit is killed and noted, and the run goes on without it.
"""

import json
import os
import platform
import queue
import re
import subprocess
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = ["onnxruntime-fp32", "onnxruntime-int8", "openvino-int8", "openvino-int8-bf16"]
RUST = ["rten-int8", "candle-f32"]
OURS = ["copydesk-int8", "copydesk-f32"]
PYTHON_PACKAGES = ["onnxruntime", "openvino", "nncf", "tokenizers"]
RUST_PACKAGES = ["rten", "candle-core"]


def numbers(text):
    return [int(part) for part in text.split(",")]


def add_arguments(parser, batches, repeats, time_limit):
    """What every measurement takes."""
    parser.add_argument("--models", type=Path, required=True, help="what build.py wrote from models/base")
    parser.add_argument("--copydesk", required=True, help="the built command")
    parser.add_argument("--rust", default=str(HERE / "rust" / "target" / "release" / "rivals"))
    parser.add_argument("--runs", type=Path, required=True, help="file for the raw answers, a JSON object a line")
    parser.add_argument("--batches", type=numbers, default=batches, help="batch sizes to choose from")
    parser.add_argument("--repeats", type=int, default=repeats)
    parser.add_argument("--time-limit", type=float, default=time_limit, help="seconds for an answer, or one pass over the rows")
    parser.add_argument("--quick", action="store_true", help="little of everything, to see that it works")


def parse(parser, quick):
    """The arguments; with --quick the values of `quick` are the defaults."""
    if parser.parse_known_args()[0].quick:
        parser.set_defaults(**quick)
    return parser.parse_args()


def publish(facts, lines, runs):
    """The table, after a host's facts, to standard output and beside the raw answers."""
    text = "\n".join([f"```json\n{json.dumps(facts)}\n```", *lines]) + "\n"
    print(text, end="")
    runs.with_suffix(".md").write_text(text)


class Failed(Exception):
    """Why an engine is out."""


def command(engine, mode, arguments, workload):
    if engine in OURS:
        precision = engine.removeprefix("copydesk-")
        return [
            arguments.copydesk, "bench", "--protocol", "--mode", mode, "--workload", str(workload),
            "--model", str(arguments.models / "copydesk"), "--precision", precision,
        ]
    program = [arguments.rust] if engine in RUST else [sys.executable, str(HERE / "worker.py")]
    return [*program, engine, "--mode", mode, "--models", str(arguments.models), "--workload", str(workload)]


class Engine:
    def __init__(self, name, mode, arguments, workload):
        self.name, self.limit = name, arguments.time_limit
        threads = "1" if mode in ("1", "2s") else "2"
        # Of a pool that all streams share. candle cuts each product for the whole pool, and two streams then stand in each other's way.
        total = "1" if mode == "1" or (mode, name) == ("2s", "candle-f32") else "2"
        limits = {"OMP_NUM_THREADS": threads, "RAYON_NUM_THREADS": total, "RTEN_NUM_THREADS": total}
        try:
            self.process = subprocess.Popen(
                command(name, mode, arguments, workload), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                env={**os.environ, **limits},
            )
        except OSError as error:
            raise Failed(f"did not start: {error.strerror}") from error
        self.lines = queue.SimpleQueue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def receive(self):
        try:
            line = self.lines.get(timeout=self.limit)
        except queue.Empty:
            raise Failed(f"no answer within {self.limit} s") from None
        if not line:
            raise Failed(f"ended with status {self.process.wait()}")
        return json.loads(line)

    def cpu_seconds(self):
        """Of the process with all its threads; what another program took does not count."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ask(self, **request):
        before = self.cpu_seconds()
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            raise Failed(f"ended with status {self.process.wait()}") from None
        answer = self.receive()
        return {**answer, "cpu": round(self.cpu_seconds() - before, 2)}

    def close(self):
        self.process.kill()
        self.process.wait()


class Field:
    """The engines that still answer, in their order."""

    def __init__(self, names, mode, arguments, workload, record):
        self.mode, self.record, self.engines = mode, record, {}
        for name in names:
            try:
                self.engines[name] = Engine(name, mode, arguments, workload)
            except Failed as reason:
                self.note(name, reason)
        for name in self.names():
            self.attempt(name, Engine.receive)

    def names(self):
        return list(self.engines)

    def ask(self, name, **request):
        """The engine's answer, or None where it has failed by now."""
        return self.attempt(name, lambda engine: engine.ask(**request))

    def attempt(self, name, action):
        if name not in self.engines:
            return None
        try:
            return action(self.engines[name])
        except Failed as reason:
            self.engines.pop(name).close()
            self.note(name, reason)
            return None

    def note(self, name, reason):
        print(f"{name} is out: {reason}", file=sys.stderr)
        self.record({"engine": name, "mode": self.mode, "failed": str(reason)})

    def best_batches(self, order, batches, limit):
        """The batch size with the most tokens per second, for each engine, over the texts that are measured."""
        best = {}
        for name in self.names():
            rates = {}
            for batch in batches:
                answer = self.ask(name, batch=batch, order=order, text=0, limit=limit)
                if answer:
                    rates[batch] = answer["tokens"] / answer["secs"]
            best[name] = max(rates, key=rates.get, default=batches[0])
        return best

    def close(self):
        for engine in self.engines.values():
            engine.close()


def host(copydesk, packages):
    """What figures are measured on and with."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), [])
    wanted = ["avx2", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8"]
    ours = subprocess.run([copydesk, "--version"], capture_output=True, text=True, check=True)
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"], cwd=HERE, capture_output=True, text=True
    )
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "instruction_sets": [flag for flag in wanted if flag in flags],
        "kernel": platform.release(),
        "load": os.getloadavg()[0],
        "commit": commit.stdout.strip(),
        "versions": {"copydesk": ours.stdout.split()[-1], **{name: version(name) for name in packages}},
    }


def rust_versions():
    lock = (HERE / "rust" / "Cargo.lock").read_text()
    return dict(re.findall(rf'name = "({"|".join(RUST_PACKAGES)})"\nversion = "([^"]+)"', lock))
