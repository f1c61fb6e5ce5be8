#!/usr/bin/env bash
# From base to fast and auto: a student cut out of base learns its answers for unlabelled and weakly labelled texts, then the
# annotated rows by label and teacher, then these together with the composed rows that base learnt last; 8-bit weights with
# calibration; the cascade. An hour on two cores; a step that is done is not made again, one that is interrupted labels its
# texts again and goes on where it was.
# Usage: models/fast/train.sh DATA MODELS WORK
#   DATA    folder with annotated-train.jsonl, gold-dev.jsonl, weak.jsonl.zst, unlabelled.jsonl.zst, comments/, threads/
#   MODELS  folder with base/, the packed model; fast/ and auto/ are written beside it
#   WORK    folder for everything on the way; that of models/base/train.sh, whose composed rows are used
set -euo pipefail
usage="usage: train.sh DATA MODELS WORK"
data=${1:?$usage} models=${2:?$usage} work=${3:?$usage}
root=$(cd "$(dirname "$0")/../.." && pwd)
settings=$root/models/fast/settings
cargo build --release --features train
copydesk=${CARGO_TARGET_DIR:-target}/release/copydesk
# glibc would give the large buffers back to the system after every step.
export MALLOC_ARENA_MAX=1 MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=268435456
mkdir -p "$work"
dev=$data/gold-dev.jsonl

# Trains fast into WORK/fast-STAGE by the stage's settings, unless that was done before.
# Usage: distill STAGE ARGUMENT ...
distill() {
    local stage=$1
    shift
    [ -e "$work/fast-$stage/training.json" ] ||
        "$copydesk" distill --teacher "$models/base" --dev "$dev" --name fast --settings "$settings/common.json" \
            --settings "$root/models/base/settings/threads.json" --settings "$settings/$stage.json" --out "$work/fast-$stage" "$@"
}
distill texts --texts "$data/unlabelled.jsonl.zst" --texts "$data/weak.jsonl.zst" --rows 140000 \
    --layers 2 --intermediate 512 --vocab 16000
distill annotated --base "$work/fast-texts" --texts "$data/annotated-train.jsonl"
distill mixed --base "$work/fast-annotated" --texts "$data/annotated-train.jsonl" --texts "$root/data/comment-kinds.jsonl" \
    --texts "$root/data/more-comments.jsonl" --texts "$work/composed-mixed.jsonl" --texts "$work/composed-pages.jsonl"
"$copydesk" pack --model "$work/fast-mixed" --calibrate "$dev" --comments "$data/threads/dev.jsonl" --out "$models/fast"
# Ordinary rows hardly hide spam behind something else; some of our own cases do.
grep '"part": "choose"' "$root/data/cases.jsonl" > "$work/choose.jsonl"
"$copydesk" cascade --small "$models/fast" --large "$models/base" --calibrate "$dev" --comments "$data/threads/dev.jsonl" --ask-rows "$work/choose.jsonl" --miss 0.005 \
    --within 0.004 --out "$models/auto"
for model in fast auto; do
    "$copydesk" eval --data "$dev" --model "$models/$model"
    "$copydesk" eval --data "$dev" --model "$models/$model" --page-field doc
done
