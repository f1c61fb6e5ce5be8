#!/usr/bin/env bash
# Comments with their sites' decisions, pages with their discussions, and mixed texts, as rows for copydesk distill. The sites
# and pages that the figures of the model cards are measured on are left out.
# Usage: models/base/compose.sh COPYDESK DATA TEACHER STEP OUT
#   COPYDESK  the program, built with the feature train
#   DATA      folder with annotated-train.jsonl, gold-dev.jsonl, comments/ and threads/
#   TEACHER   model that says of a published comment what else it is than no spam
#   STEP      mixed or pages, the step of train.sh that reads the rows
set -euo pipefail
usage="usage: compose.sh COPYDESK DATA TEACHER STEP OUT"
copydesk=${1:?$usage} data=${2:?$usage} teacher=${3:?$usage} step=${4:?$usage} out=${5:?$usage}
own=$(cd "$(dirname "$0")/../.." && pwd)/data
threads=(--threads "$data/threads/train.jsonl") kinds=(--threads "$own/mixed-kinds.jsonl")
# What people annotated comes several times, each time with the regions hidden in other rows.
case $step in
    mixed) few=("${threads[@]}" "${kinds[@]}" "${threads[@]}" "${kinds[@]}" --seed 21) ;;
    pages)
        few=("${threads[@]}" "${kinds[@]}" "${threads[@]}" "${threads[@]}" --labels "$own/page-labels.jsonl.zst"
            --spam-per-site 450 --ham-per-site 500 --quotes 700 --tails 700 --wrapped 1000 --seed 22)
        ;;
    *) echo "$usage" >&2; exit 2 ;;
esac
"$copydesk" compose --teacher "$teacher" --comments "$data/comments/train.jsonl.zst" --pages "$data/comments/pages.jsonl.zst" \
    "${few[@]}" --rows "$data/annotated-train.jsonl" --rows "$own/comment-kinds.jsonl" \
    --rows "$own/more-comments.jsonl" --leave-out maartenba,hajekj,bloggerbust,backfeed,tsew \
    --without "$data/threads/dev.jsonl" --without "$data/gold-dev.jsonl" --out "$out"
