#!/usr/bin/env bash
# From pages with their marked content to what tells content from the rest. Two minutes on one core.
# Usage: models/content/train.sh DATA OUT
#   DATA  folder with wcxb-train.jsonl.zst
#   OUT   folder for model.safetensors and training.json
set -euo pipefail
usage="usage: train.sh DATA OUT"
data=${1:?$usage} out=${2:?$usage}
root=$(cd "$(dirname "$0")/../.." && pwd)
cargo build --release --features train
copydesk=${CARGO_TARGET_DIR:-target}/release/copydesk
mkdir -p "$out"
# The file was packed with a longer window than most decompressors allow by themselves.
zstd -dc --long=27 "$data/wcxb-train.jsonl.zst" > "$out/pages.jsonl"
"$copydesk" train-content --data "$out/pages.jsonl" --settings "$root/models/content/settings.json" --out "$out"
rm "$out/pages.jsonl"
