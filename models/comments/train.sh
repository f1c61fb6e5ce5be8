#!/usr/bin/env bash
# From comments with their sites' decisions to what tells spam by all that is known of a comment. Three text models are trained,
# each without a group of sites, so that every comment has the scores of a model that never saw its site; of the first group
# that is the shipped model auto. Over an hour on one core of a Zen 4 for the three, a minute for the rest.
# Usage: models/comments/train.sh DATA BASE WORK
#   DATA  folder with annotated-train.jsonl, gold-dev.jsonl and comments/train.jsonl.zst
#   BASE  folder of sentence-transformers/all-MiniLM-L6-v2
#   WORK  folder for everything on the way; model.safetensors and training.json end in WORK/comments
set -euo pipefail
usage="usage: train.sh DATA BASE WORK"
data=${1:?$usage} base=${2:?$usage} work=${3:?$usage}
root=$(cd "$(dirname "$0")/../.." && pwd)
own=$root/models/comments
cargo build --release --features train
copydesk=${CARGO_TARGET_DIR:-target}/release/copydesk
mkdir -p "$work"
zstd -dcf "$data/comments/train.jsonl.zst" > "$work/comments.jsonl"
python3 "$own/rows.py" "$work/comments.jsonl" "$data/annotated-train.jsonl" "$root/data/published-adverts.txt" "$work"
head -n 300 "$data/gold-dev.jsonl" > "$work/dev.jsonl"
label() {
    "$copydesk" label --quiet --unit record --region comment --any-language --model "$1" -o "$work/scored-$2.jsonl" \
        "$work/comments-$2.jsonl"
}
label auto 0
for group in 1 2 3; do
    [ -e "$work/fold-$group/training.json" ] ||
        "$copydesk" train --data "$work/fold-$group.jsonl" --dev "$work/dev.jsonl" --settings "$own/fold.json" --base "$base" \
            --out "$work/fold-$group"
    [ -e "$work/packed-$group/config.json" ] ||
        "$copydesk" pack --model "$work/fold-$group" --name "fold-$group" --out "$work/packed-$group"
    label "$work/packed-$group" "$group"
done
"$copydesk" train-comments --settings "$own/settings.json" --out "$work/comments" \
    --data "$work/scored-0.jsonl" --data "$work/scored-1.jsonl" --data "$work/scored-2.jsonl" --data "$work/scored-3.jsonl"
