#!/usr/bin/env bash
# Comments with their sites' decisions, pages with their discussions, and mixed texts, as rows for copydesk distill. The sites
# and pages that the figures of the model cards are measured on are left out.
# Usage: models/base/compose.sh COPYDESK DATA TEACHER OUT
#   COPYDESK  the program, built with the feature train
#   DATA      folder with annotated-train.jsonl, gold-dev.jsonl, comments/ and threads/
#   TEACHER   model that says of a published comment what else it is than no spam
set -euo pipefail
usage="usage: compose.sh COPYDESK DATA TEACHER OUT"
copydesk=${1:?$usage} data=${2:?$usage} teacher=${3:?$usage} out=${4:?$usage}
own=$(cd "$(dirname "$0")/../.." && pwd)/data
# What people annotated comes twice, with the regions hidden in other rows.
annotated=(--threads "$data/threads/train.jsonl" --threads "$own/mixed-kinds.jsonl")
"$copydesk" compose --teacher "$teacher" --comments "$data/comments/train.jsonl.zst" --pages "$data/comments/pages.jsonl.zst" \
    "${annotated[@]}" "${annotated[@]}" --rows "$data/annotated-train.jsonl" --rows "$own/comment-kinds.jsonl" \
    --rows "$own/more-comments.jsonl" --leave-out maartenba,hajekj,bloggerbust,backfeed,tsew \
    --without "$data/threads/dev.jsonl" --without "$data/gold-dev.jsonl" --seed 21 --out "$out"
