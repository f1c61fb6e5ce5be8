#!/usr/bin/env bash
# From data to every shipped file. Each training step goes on where it was if it is interrupted; a step that has its
# result is not made again.
#   1. Four trainings, each without one group of comment sources: what they say of those sources tells how spam on sites
#      that training never saw fares (cross-eval.json).
#   2. base: the mean of the four, trained on all annotated rows; 8-bit weights with calibration.
#   3. fast: two layers cut out of base that learn its answers for unlabelled and weakly labelled texts.
#   4. auto: when fast may answer and when base must.
# Usage: models/train.sh DATA BASE WORK
#   DATA  folder with annotated-train.jsonl, gold-dev.jsonl, weak.jsonl.zst, unlabelled.jsonl.zst
#   BASE  folder of sentence-transformers/all-MiniLM-L6-v2, or hf:sentence-transformers/all-MiniLM-L6-v2
#   WORK  folder for everything on the way; the models end in WORK/base, WORK/fast and WORK/auto
set -euo pipefail
usage="usage: train.sh DATA BASE WORK"
data=${1:?$usage} base=${2:?$usage} work=${3:?$usage}
here=$(cd "$(dirname "$0")" && pwd)
cargo build --release --features train,hub
copydesk=${CARGO_TARGET_DIR:-target}/release/copydesk
# glibc would give the large buffers back to the system after every step.
export MALLOC_ARENA_MAX=1 MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=268435456
mkdir -p "$work"
annotated=$data/annotated-train.jsonl dev=$data/gold-dev.jsonl

# Sites that belong together are left out together.
groups=(
    youtube_raw2013
    haacked_comments,haacked_rejected,popcorn_submissions,popcorn_submissions-title,janitr_x,iac_4forums,iac-4forums
    youtube_cryptoscam,dylanmtaylor_wp,datacamp_comments,mademistakes_comments
    stackoverflow_blog,caffeinated_blog,lrem_blog,civil_comments,yasoob_rejected
)
folds=() packed=()
for group in "${!groups[@]}"; do
    fold=$work/fold$((group + 1))
    [ -e "$fold/training.json" ] ||
        "$copydesk" train --data "$annotated" --dev "$dev" --base "$base" --leave-out "${groups[group]}" \
            --settings "$here/base/settings/fold.json" --out "$fold"
    [ -e "$fold-packed/copydesk.json" ] ||
        "$copydesk" pack --model "$fold" --calibrate "$dev" --out "$fold-packed"
    folds+=(--base "$fold") packed+=(--model "$fold-packed")
done
"$copydesk" cross-eval --data "$annotated" "${packed[@]}" --json > "$work/cross-eval.json"
"$copydesk" cross-eval --data "$annotated" "${packed[@]}"

[ -e "$work/annotated/training.json" ] ||
    "$copydesk" train --data "$annotated" --dev "$dev" "${folds[@]}" --keep-head \
        --settings "$here/base/settings/annotated.json" --out "$work/annotated"
"$copydesk" pack --model "$work/annotated" --calibrate "$dev" --out "$work/base"

[ -e "$work/student/training.json" ] ||
    "$copydesk" distill --teacher "$work/base" --texts "$data/unlabelled.jsonl.zst" --texts "$data/weak.jsonl.zst" \
        --rows 140000 --data "$annotated" --dev "$dev" --layers 2 --intermediate 512 --vocab 16000 \
        --settings "$here/fast/settings.json" --out "$work/student"
"$copydesk" pack --model "$work/student" --calibrate "$dev" --out "$work/fast"
"$copydesk" cascade --small "$work/fast" --large "$work/base" --calibrate "$dev" --out "$work/auto"

for model in base fast auto; do
    "$copydesk" eval --data "$dev" --model "$work/$model"
    "$copydesk" eval --data "$dev" --model "$work/$model" --page-field doc
done
