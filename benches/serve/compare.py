#!/usr/bin/env python3
"""`copydesk serve` beside FastAPI with ONNX Runtime: the same weights, the same texts, one run, in turns, measured with wrk.

    python3 -m venv venv && venv/bin/pip install -r rival/requirements.txt
    venv/bin/python rival/build.py --base ../../models/base --copydesk ../../target/release/copydesk --out models
    venv/bin/python compare.py --copydesk ../../target/release/copydesk --models models --runs ../runs/serve-rival.jsonl

Needs wrk (Debian: apt-get install wrk). Both servers run the whole time and are asked in turns. The core's own throughput on the
same texts stands beside them.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(command, port, **options):
    """A server, from when it listens; it ends with the block."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None:
                raise SystemExit(f"{command[0]} ended with status {process.returncode} before it listened")
            time.sleep(0.05)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def memory(process):
    """Resident MiB, the most that it had."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return round(int(status.split("VmHWM:")[1].split()[0]) / 1024)


def wrk(port, path, bodies, kind, connections, seconds):
    threads = min(connections, 2)
    command = [
        "wrk", "-t", str(threads), "-c", str(connections), "-d", f"{seconds}s", "--timeout", "60s", "-s", HERE / "post.lua",
        f"http://127.0.0.1:{port}{path}", "--", bodies, kind, "Bearer none",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    return {**answer, "per_second": round(answer["ok"] / answer["seconds"], 1)}


def core(copydesk, model, texts, threads, folder):
    """Texts per second of `copydesk label` on the same texts, its start taken away."""
    times = []
    for copies in (1, 9):
        path = folder / f"core-{copies}.jsonl"
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts) * copies)
        command = [copydesk, "label", path, "--unit", "record", "--model", model, "--threads", str(threads), "--quiet", "-o", folder / "core.out"]
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(time.perf_counter() - begin)
        path.unlink()
    (folder / "core.out").unlink()
    return round(8 * len(texts) / (times[1] - times[0]), 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copydesk", required=True, help="the built command, with the feature `serve`")
    parser.add_argument("--models", type=Path, required=True, help="what rival/build.py wrote")
    parser.add_argument("--runs", type=Path, required=True, help="file for the raw answers, a JSON object a line")
    parser.add_argument("--connections", default="1,8,64,512")
    parser.add_argument("--seconds", type=int, default=20, help="of each measurement")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--ours", default="base", help="models of ours, with commas; the first has the rival's weights")
    arguments = parser.parse_args()
    texts = [json.loads(line)["text"] for line in open(arguments.models / "workload.jsonl")]
    folder = arguments.runs.resolve().parent
    bodies = folder / "bodies.txt"
    # ASCII, so that a line is a line for everybody.
    bodies.write_text("".join(json.dumps({"inputs": text}) + "\n" for text in texts))
    rows = []
    with contextlib.ExitStack() as stack:
        servers = {}
        for model in arguments.ours.split(","):
            port = free_port()
            command = [arguments.copydesk, "serve", "--listen", f"127.0.0.1:{port}", "--model", model, "--threads", str(arguments.threads)]
            servers[f"copydesk {model}"] = port, stack.enter_context(running(command, port))
        port = free_port()
        command = [
            sys.executable, "-m", "uvicorn", "app:app", "--port", str(port), "--log-level", "warning", "--loop", "uvloop", "--http", "httptools",
        ]
        settings = {**os.environ, "MODELS": str(arguments.models.resolve()), "THREADS": str(arguments.threads), "OMP_NUM_THREADS": str(arguments.threads)}
        servers["FastAPI + ONNX Runtime int8"] = port, stack.enter_context(running(command, port, env=settings, cwd=HERE / "rival"))
        for repeat in range(arguments.repeats):
            for connections in map(int, arguments.connections.split(",")):
                for name, (port, process) in servers.items():
                    if repeat == 0 and not rows:
                        wrk(port, "/predict", bodies, "application/json", 8, 3)
                    answer = wrk(port, "/predict", bodies, "application/json", connections, arguments.seconds)
                    rows.append({"server": name, "connections": connections, "repeat": repeat, **answer, "mib": memory(process)})
                    print(json.dumps(rows[-1]), flush=True)
    for model in arguments.ours.split(","):
        for repeat in range(arguments.repeats):
            rate = core(arguments.copydesk, model, texts, arguments.threads, folder)
            rows.append({"server": f"copydesk {model}", "core": True, "repeat": repeat, "per_second": rate})
    bodies.unlink()
    arguments.runs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    report(rows, arguments.runs.with_suffix(".md"))


def report(rows, path):
    def median(name, field, **wanted):
        found = [row[field] for row in rows if row["server"] == name and all(row.get(key) == value for key, value in wanted.items())]
        return statistics.median(found) if found else 0.0

    lines = [
        "| server | connections | answers/s | p50, ms | p99, ms | refused | failed | of the core | MiB |", "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    asked = [row for row in rows if not row.get("core")]
    for connections in sorted({row["connections"] for row in asked}):
        for name in dict.fromkeys(row["server"] for row in asked):
            values = {
                field: median(name, field, connections=connections)
                for field in ("per_second", "p50_ms", "p99_ms", "refused", "other", "lost", "mib")
            }
            whole = median(name, "per_second", core=True)
            share = f"{values['per_second'] / whole:.0%}" if whole else ""
            lines.append(
                f"| {name} | {connections} | {values['per_second']:.0f} | {values['p50_ms']:.1f} | {values['p99_ms']:.1f} | "
                f"{values['refused']:.0f} | {values['other'] + values['lost']:.0f} | {share} | {values['mib']:.0f} |"
            )
    for row in rows:
        if row.get("core") and row["repeat"] == 0:
            lines.append(f"| {row['server']}, the core alone | | {median(row['server'], 'per_second', core=True):.0f} | | | | | 100% | |")
    text = "\n".join(lines) + "\n"
    print(text)
    path.write_text(text)


if __name__ == "__main__":
    main()
