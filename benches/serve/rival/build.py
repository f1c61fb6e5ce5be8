#!/usr/bin/env python3
"""The rival's model from one of ours: build.py --base models/base --copydesk PROGRAM --out DIR"""

import argparse
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "rivals"))
import build

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--base", type=Path, required=True, help="the model's folder")
parser.add_argument("--copydesk", required=True, help="the built command")
parser.add_argument("--out", type=Path, required=True)
arguments = parser.parse_args()
config, weights = build.copydesk_folder(arguments.base, arguments.out)
with open(arguments.out / "workload.jsonl", "w") as file:
    subprocess.run([arguments.copydesk, "bench", "--print-texts"], stdout=file, check=True)
build.onnx_models(config, weights, arguments.out)
