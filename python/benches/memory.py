#!/usr/bin/env python3
"""Memory while a million short rows go through `label_arrow` in batches of 1,000.

    python/benches/memory.py [--model fast] [--rows 1000000]

Prints resident memory after every tenth of the rows.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import pyarrow

import copydesk


def resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="fast")
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    labeler = copydesk.Labeler(options.model)
    begin = time.monotonic()
    for first in range(0, options.rows, 1000):
        if first % (options.rows // 10) == 0:
            print(f"{first:8} rows {time.monotonic() - begin:7.0f} s {resident_mib():7.1f} MiB", flush=True)
        batch = pyarrow.record_batch({"text": [f"Vote {number}: yes." for number in range(first, first + 1000)]})
        assert labeler.label_arrow(batch).num_rows == 1000
    print(f"{options.rows:8} rows {time.monotonic() - begin:7.0f} s {resident_mib():7.1f} MiB")


if __name__ == "__main__":
    main()
