#!/usr/bin/env bash
# From fast and auto to nano: auto labels a quarter of the unlabelled and weakly labelled texts, the annotated rows and the written
# comments; a narrow student cut out of fast learns its answers for the texts, then the annotated rows and comments by label and
# answer; 8-bit weights with calibration. A step that is done is not made again, one that is interrupted goes on where it was.
# Usage: models/nano/train.sh DATA OUT WORK
#   DATA  folder with annotated-train.jsonl, gold-dev.jsonl, weak.jsonl.zst, unlabelled.jsonl.zst, threads/
#   OUT   folder for the model
#   WORK  folder for everything on the way
set -euo pipefail
usage="usage: train.sh DATA OUT WORK"
data=${1:?$usage} out=${2:?$usage} work=${3:?$usage}
root=$(cd "$(dirname "$0")/../.." && pwd)
settings=$root/models/nano/settings
cargo build --release --features train
copydesk=${CARGO_TARGET_DIR:-target}/release/copydesk
# glibc would give the large buffers back to the system after every step. candle's threads wait for each other without sleeping,
# which costs a busy machine more than they bring.
export MALLOC_ARENA_MAX=1 MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=268435456
export CANDLE_NUM_THREADS=1
mkdir -p "$work"
dev=$data/gold-dev.jsonl

[ -e "$work/weak.jsonl" ] || "$root/models/nano/draw.py" "$data" "$work"
cat "$root/data/comment-kinds.jsonl" "$root/data/more-comments.jsonl" > "$work/comments.jsonl"
cp "$data/annotated-train.jsonl" "$work/annotated.jsonl"
for texts in weak unlabelled annotated comments; do
    [ -e "$work/labelled-$texts.jsonl" ] ||
        "$copydesk" label --unit record --page-field doc --model auto --resume "$work/$texts.jsonl" -o "$work/labelled-$texts.jsonl"
done

# Trains nano into WORK/nano-STAGE by the stage's settings, unless that was done before.
# Usage: distill STAGE ARGUMENT ...
distill() {
    local stage=$1
    shift
    [ -e "$work/nano-$stage/training.json" ] ||
        "$copydesk" distill --dev "$dev" --name nano --settings "$settings/common.json" \
            --settings "$root/models/base/settings/threads.json" --settings "$settings/$stage.json" --out "$work/nano-$stage" "$@"
}
distill texts --teacher fast --texts "$work/labelled-unlabelled.jsonl" --texts "$work/labelled-weak.jsonl" \
    --layers 2 --hidden 128 --tokens-per-state 2 --intermediate 256 --vocab 16000
distill annotated --teacher fast --base "$work/nano-texts" --texts "$work/labelled-annotated.jsonl" \
    --texts "$work/labelled-comments.jsonl"
"$copydesk" pack --model "$work/nano-annotated" --calibrate "$dev" --comments "$data/threads/dev.jsonl" --out "$out"
for reading in "" "--page-field doc"; do
    # shellcheck disable=SC2086
    "$copydesk" eval --data "$dev" --model "$out" $reading
done
