#!/usr/bin/env bash
# From data to the shipped files. Four models of one epoch over the annotated rows and the comments in data/, each without
# a group of comment sources: what they say of the sources that they never saw tells what a new site may expect. The mean
# of their weights then learns what a larger model said of unlabelled and weakly labelled texts (teacher-scores.jsonl.zst,
# made by teacher.py); then the rows of the folds, by their labels and by what the larger model says of the pages and the
# folds of the comments; and from there the labels of those rows, once by themselves and once together with the labels that
# data/standoff-labels.jsonl.zst gives to further texts. The mean of these three, in 8 bits, is the teacher and the start of
# the step `mixed`: comments with their sites' decisions, pages with their discussions, quotes with answers, tails of spam and
# texts in wrappers (copydesk compose), beside all annotated rows. The last step, `pages`, reads fewer of them, and of the pages
# those whose rows have labels in data/page-labels.jsonl.zst. What comes of it gets 8-bit weights and calibration.
# Other data than ours has neither scores nor labels in those files: give the step `texts` the folds as teachers, or make
# scores first, and leave the step `more` out.
# Two hours and three quarters on two cores with AVX-512. A step that is done is not made again; an interrupted one goes on where it
# was.
# Usage: models/base/train.sh DATA BASE WORK
#   DATA  folder with annotated-train.jsonl, gold-dev.jsonl, weak.jsonl.zst, unlabelled.jsonl.zst, comments/, threads/
#   BASE  folder of sentence-transformers/all-MiniLM-L6-v2, or hf:sentence-transformers/all-MiniLM-L6-v2
#   WORK  folder for everything on the way (about 4 GB); the model ends in WORK/base
set -euo pipefail
usage="usage: train.sh DATA BASE WORK"
data=${1:?$usage} base=${2:?$usage} work=${3:?$usage}
root=$(cd "$(dirname "$0")/../.." && pwd)
settings=$root/models/base/settings
cargo build --release --features train,hub
copydesk=${CARGO_TARGET_DIR:-target}/release/copydesk
# glibc would give the large buffers back to the system after every step.
export MALLOC_ARENA_MAX=1 MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=268435456
mkdir -p "$work"
rows=$data/annotated-train.jsonl dev=$data/gold-dev.jsonl
own=("$root/data/comment-kinds.jsonl" "$root/data/more-comments.jsonl")
scores=$root/models/base/teacher-scores.jsonl.zst
labels=(--data "$rows" --data "${own[0]}" --data "${own[1]}")

# The sources of a group are unlike: its fold still sees others with each one's kind of spam, as it would if that source
# alone were left out.
groups=(
    youtube_raw2013,lrem_blog
    haacked_comments,haacked_rejected,janitr_x,iac_4forums,iac-4forums
    youtube_cryptoscam,dylanmtaylor_wp,civil_comments,yasoob_rejected
    caffeinated_blog,popcorn_submissions,popcorn_submissions-title,stackoverflow_blog,datacamp_comments,mademistakes_comments
)
# Runs a training command by the settings of a STAGE that ends in WORK/NAME, unless it was run to its end before.
# Usage: train NAME STAGE COMMAND ...
train() {
    local name=$1 stage=$2
    shift 2
    [ -e "$work/$name/training.json" ] ||
        "$copydesk" "$@" --settings "$settings/common.json" --settings "$settings/threads.json" \
            --settings "$settings/$stage.json" --dev "$dev" --out "$work/$name"
}

folds=() teachers=() bases=()
for fold in 1 2 3 4; do
    train "fold$fold" fold train "${labels[@]}" --leave-out "${groups[fold - 1]}" --base "$base" \
        --base-name sentence-transformers/all-MiniLM-L6-v2
    [ -e "$work/fold$fold-packed/config.json" ] ||
        "$copydesk" pack --model "$work/fold$fold" --calibrate "$dev" --out "$work/fold$fold-packed"
    folds+=(--model "$work/fold$fold-packed")
    teachers+=(--teacher "$work/fold$fold-packed")
    bases+=(--base "$work/fold$fold")
done
"$copydesk" cross-eval --data "$rows" "${folds[@]}" --json > "$work/cross-eval.json"

texts=(--texts "$data/unlabelled.jsonl.zst" --texts "$data/weak.jsonl.zst")
train texts texts distill --scores "$scores" "${bases[@]}" "${texts[@]}"
train annotated annotated distill "${teachers[@]}" --scores "$scores" --base "$work/texts" --texts "$rows" \
    --texts "${own[0]}" --texts "${own[1]}"
train labels labels train "${labels[@]}" --base "$work/annotated" --keep-head
"$copydesk" join --labels "$root/data/standoff-labels.jsonl.zst" "${texts[@]}" --out "$work/more.jsonl"
train more labels train "${labels[@]}" --data "$work/more.jsonl" --base "$work/annotated" --keep-head
[ -e "$work/tidy/config.json" ] ||
    "$copydesk" pack --model "$work/annotated" --model "$work/labels" --model "$work/more" --name base --calibrate "$dev" \
        --out "$work/tidy"
"$root/models/base/compose.sh" "$copydesk" "$data" "$work/tidy" mixed "$work/composed-mixed.jsonl"
train mixed mixed distill --teacher "$work/tidy" --scores "$scores" --base "$work/tidy" --texts "$rows" \
    --texts "${own[0]}" --texts "${own[1]}" --texts "$work/composed-mixed.jsonl"
[ -e "$work/mixed-packed/config.json" ] ||
    "$copydesk" pack --model "$work/mixed" --name base --calibrate "$dev" --out "$work/mixed-packed"
"$root/models/base/compose.sh" "$copydesk" "$data" "$work/mixed-packed" pages "$work/composed-pages.jsonl"
train pages pages distill --teacher "$work/mixed-packed" --scores "$scores" --base "$work/mixed" --texts "$rows" \
    --texts "$work/composed-pages.jsonl"
"$copydesk" pack --model "$work/pages" --name base --calibrate "$dev" --comments "$data/threads/dev.jsonl" --out "$work/base"
# One list of what every run came to, each with its name.
{
    separator='['
    for run in fold1 fold2 fold3 fold4 texts annotated labels more mixed pages; do
        printf '%s{"run": "%s",' "$separator" "$run"
        tail -c +2 "$work/$run/training.json"
        separator=','
    done
    echo ']'
} > "$work/base/training.json"
for reading in "" "--page-field doc"; do
    # shellcheck disable=SC2086
    "$copydesk" eval --data "$dev" --model "$work/base" $reading
done
