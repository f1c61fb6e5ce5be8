#!/usr/bin/env python3
"""Memory of a worker, and memory while a million short rows go through `label_arrow` in batches of 1,000.

    python/benches/memory.py worker
    python/benches/memory.py rows [--model fast] [--rows 1000000]

`worker` prints for each built-in model the resident memory of a process with one thread that labelled 1,000 texts of `data/`, and how much
of it the process wrote itself. The rest, the file with the models and Python, is shared with other workers of the machine. `rows` prints resident memory
after every tenth of the rows.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict

DATA = Path(__file__).resolve().parents[2] / "data"


def memory_mib() -> Dict[str, float]:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    return {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines}


def worker(model: str) -> None:
    import copydesk

    labeler = copydesk.Labeler(model, threads=1)
    texts = [json.loads(line)["text"] for line in (DATA / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    labeler.label_records((texts * 4)[:1000])
    now = memory_mib()
    print(f"{model:5} resident {now['Rss']:4.0f} MiB, its own {now['Private_Dirty']:4.0f} MiB")


def rows(model: str, count: int) -> None:
    import pyarrow

    import copydesk

    labeler = copydesk.Labeler(model)
    begin = time.monotonic()
    for first in range(0, count, 1000):
        if first % (count // 10) == 0:
            print(f"{first:8} rows {time.monotonic() - begin:7.0f} s {memory_mib()['Rss']:7.1f} MiB", flush=True)
        batch = pyarrow.record_batch({"text": [f"Vote {number}: yes." for number in range(first, first + 1000)]})
        if labeler.label_arrow(batch).num_rows != 1000:
            sys.exit("a batch came back with another number of rows")
    print(f"{count:8} rows {time.monotonic() - begin:7.0f} s {memory_mib()['Rss']:7.1f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["worker", "rows"])
    parser.add_argument("--model")
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    if options.what == "rows":
        rows(options.model or "fast", options.rows)
    elif options.model:
        worker(options.model)
    else:
        # Each in a process of its own.
        for model in ("nano", "fast", "auto", "base"):
            subprocess.run([sys.executable, __file__, "worker", "--model", model], check=True)


if __name__ == "__main__":
    main()
