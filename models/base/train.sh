#!/usr/bin/env bash
# From data to the shipped files: teacher, its answers for unlabelled and weakly labelled texts, a model that learns them,
# the annotated rows with the page network, 8-bit weights with calibration. About two hours on two cores; every training
# step goes on where it was if it is interrupted.
# Usage: models/base/train.sh DATA BASE WORK
#   DATA  folder with annotated-train.jsonl, gold-dev.jsonl, weak.jsonl.zst, unlabelled.jsonl.zst
#   BASE  folder of sentence-transformers/all-MiniLM-L6-v2, or hf:sentence-transformers/all-MiniLM-L6-v2
#   WORK  folder for everything on the way (about 2 GB); the model ends in WORK/base
set -euo pipefail
data=${1:?usage: train.sh DATA BASE WORK} base=${2:?usage: train.sh DATA BASE WORK} work=${3:?usage: train.sh DATA BASE WORK}
settings=$(cd "$(dirname "$0")" && pwd)/settings
cargo build --release --features train,hub
copydesk=${CARGO_TARGET_DIR:-target}/release/copydesk
# glibc would give the large buffers back to the system after every step.
export MALLOC_ARENA_MAX=1 MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=268435456
mkdir -p "$work"

"$copydesk" train --data "$data/annotated-train.jsonl" --weak "$data/weak.jsonl.zst" --dev "$data/gold-dev.jsonl" \
    --base "$base" --settings "$settings/teacher.json" --out "$work/teacher"
"$copydesk" pack --model "$work/teacher" --calibrate "$data/gold-dev.jsonl" --out "$work/teacher-packed"

for texts in unlabelled weak; do
    [ -e "$work/$texts.jsonl" ] || zstd -qd "$data/$texts.jsonl.zst" -o "$work/$texts.jsonl"
    [ -e "$work/$texts-labelled.jsonl" ] ||
        "$copydesk" label --unit record --model "$work/teacher-packed" "$work/$texts.jsonl" -o "$work/$texts-labelled.jsonl"
done

"$copydesk" train --data "$data/annotated-train.jsonl" --dev "$data/gold-dev.jsonl" \
    --weak "$work/unlabelled-labelled.jsonl" --weak "$work/weak-labelled.jsonl" \
    --base "$base" --settings "$settings/soft.json" --out "$work/soft"
"$copydesk" train --data "$data/annotated-train.jsonl" --dev "$data/gold-dev.jsonl" \
    --base "$work/soft" --keep-head --settings "$settings/annotated.json" --out "$work/annotated"
"$copydesk" pack --model "$work/annotated" --calibrate "$data/gold-dev.jsonl" --out "$work/base"
"$copydesk" eval --data "$data/gold-dev.jsonl" --model "$work/base"
"$copydesk" eval --data "$data/gold-dev.jsonl" --model "$work/base" --page-field doc
