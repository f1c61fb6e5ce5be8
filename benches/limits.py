#!/usr/bin/env python3
"""Time and peak memory of inputs that once took out of proportion.

    benches/limits.py BINARY [BINARY ...]

Makes each input in a temporary folder, runs every binary on it once, and prints a row for each: seconds, peak memory
in MiB, exit status, lines on standard output and on standard error. `-` stands for a run that was ended after its limit.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_SECONDS = 100
PARAGRAPH = "The council met on Monday and put the question off until the spring, as it had done the year before."


def folders_linked_to_each_other(root: Path) -> list[str]:
    """27 folders, each with two links to the next: 2^26 paths to the one file."""
    for level in range(27):
        (root / str(level)).mkdir()
        if level > 0:
            for link in "ab":
                (root / str(level - 1) / link).symlink_to(root / str(level))
    (root / "26" / "page.txt").write_text(PARAGRAPH)
    return ["label", "-q", "--model", "fast", str(root / "0")]


def long_id(root: Path) -> list[str]:
    """One record with an id of 1 MB and 3,000 paragraphs."""
    record = {"id": "x" * 1_000_000, "text": "\n\n".join(f"{PARAGRAPH} ({n})" for n in range(3000))}
    (root / "rows.jsonl").write_text(json.dumps(record) + "\n")
    return ["label", "-q", "--model", "fast", str(root / "rows.jsonl")]


def many_fields(root: Path) -> list[str]:
    """One record with 200,000 fields and 20,000 short paragraphs."""
    record = {f"field {n}": n for n in range(200_000)} | {"text": "\n\n".join(f"No. {n}" for n in range(20_000))}
    (root / "rows.jsonl").write_text(json.dumps(record) + "\n")
    return ["label", "-q", "--model", "fast", str(root / "rows.jsonl")]


def big_records_of_one_page(root: Path) -> list[str]:
    """256 records of 4 MB on one page; their text is not in the field that is asked for."""
    with open(root / "rows.jsonl", "w") as rows:
        for n in range(256):
            rows.write(json.dumps({"doc": "a", "id": n, "text": "Short.", "raw": "x" * 4_000_000}) + "\n")
    return ["label", "-q", "--model", "fast", "--unit", "record", "--page-field", "doc", str(root / "rows.jsonl")]


def one_long_record(root: Path) -> list[str]:
    """One record of 2 MB in paragraphs."""
    (root / "rows.jsonl").write_text(json.dumps({"text": "\n\n".join([PARAGRAPH] * 20_000)}) + "\n")
    return ["label", "-q", "--model", "fast", str(root / "rows.jsonl")]


def one_long_text(root: Path) -> list[str]:
    """One record of 1 MB that is one paragraph."""
    (root / "rows.jsonl").write_text(json.dumps({"text": " ".join([PARAGRAPH] * 10_000)}) + "\n")
    return ["label", "-q", "--model", "fast", "--unit", "record", str(root / "rows.jsonl")]


def records_without_the_field(root: Path) -> list[str]:
    """200,000 records whose text stands in another field, and one that can be used."""
    with open(root / "rows.jsonl", "w") as rows:
        for n in range(200_000):
            rows.write(json.dumps({"id": n, "content": "Nothing new."}) + "\n")
        rows.write(json.dumps({"text": PARAGRAPH}) + "\n")
    return ["label", "-q", "--model", "fast", "--unit", "record", str(root / "rows.jsonl")]


CASES = [
    folders_linked_to_each_other,
    long_id,
    many_fields,
    big_records_of_one_page,
    one_long_record,
    one_long_text,
    records_without_the_field,
]


def measure(binary: str, arguments: list[str], folder: Path) -> str:
    out, err = folder / "out", folder / "err"
    started = time.monotonic()
    with open(out, "wb") as stdout, open(err, "wb") as stderr:
        child = subprocess.Popen([binary, *arguments], stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30)))
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid or time.monotonic() - started > LIMIT_SECONDS:
                break
            time.sleep(0.01)
        seconds = time.monotonic() - started
        ended = bool(pid)
        if not ended:
            child.kill()
            _, status, usage = os.wait4(child.pid, 0)
    lines = [sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")) for file in
             (open(out, "rb"), open(err, "rb"))]
    code = os.waitstatus_to_exitcode(status) if ended else "-"
    return f"{seconds:8.2f} s {usage.ru_maxrss / 1024:8.0f} MiB  exit {code:>3}  rows {lines[0]:>7}  messages {lines[1]:>7}"


def main() -> None:
    for case in CASES:
        print(f"{case.__name__}: {case.__doc__.splitlines()[0]}")
        for binary in sys.argv[1:]:
            with tempfile.TemporaryDirectory() as folder:
                root = Path(folder) / "input"
                root.mkdir()
                print(f"  {measure(binary, case(root), Path(folder))}  {binary}", flush=True)


if __name__ == "__main__":
    main()
