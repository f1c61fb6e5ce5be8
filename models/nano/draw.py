#!/usr/bin/env python3
"""A quarter of the texts that nano learns from: whole pages of the unlabelled texts, single rows of the weakly labelled ones.

    draw.py DATA OUT

DATA holds unlabelled.jsonl.zst and weak.jsonl.zst; OUT gets unlabelled.jsonl and weak.jsonl. The same rows every time. Needs the
command zstd.
"""

import json
import pathlib
import random
import subprocess
import sys

QUARTERS = 4


def lines(path):
    return subprocess.run(["zstd", "-dc", str(path)], stdout=subprocess.PIPE, check=True).stdout.splitlines()


def main():
    if len(sys.argv) != 3:
        raise SystemExit("usage: draw.py DATA OUT")
    data, out = map(pathlib.Path, sys.argv[1:])
    random.seed(7)
    last, drawn = None, False
    with open(out / "unlabelled.jsonl", "wb") as kept:
        for line in lines(data / "unlabelled.jsonl.zst"):
            row = json.loads(line)
            page = (row.get("source"), row.get("doc"))
            if page != last or row.get("doc") is None:
                drawn, last = random.randrange(QUARTERS) == 0, page
            if drawn:
                kept.write(line + b"\n")
    with open(out / "weak.jsonl", "wb") as kept:
        kept.writelines(line + b"\n" for line in lines(data / "weak.jsonl.zst") if random.randrange(QUARTERS) == 0)


if __name__ == "__main__":
    main()
