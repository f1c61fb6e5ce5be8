#!/bin/sh
# Labels part PART of PARTS of INPUT. Started again after any kind of end, it goes on where it was.
#
# Each scheduler has a name of its own for the number of a part:
#   Slurm arrays            SLURM_ARRAY_TASK_ID, SLURM_ARRAY_TASK_COUNT
#   Kubernetes, Indexed Job JOB_COMPLETION_INDEX (PARTS is given by the manifest)
set -eu
PART=${PART:-${SLURM_ARRAY_TASK_ID:-${JOB_COMPLETION_INDEX:?set PART}}}
PARTS=${PARTS:-${SLURM_ARRAY_TASK_COUNT:?set PARTS}}
: "${INPUT:?set INPUT to a file or folder}" "${OUTPUT:?set OUTPUT, such as out/rows.jsonl.gz}"

status=0
"${COPYDESK:-copydesk}" label "$INPUT" --model "${MODEL:-fast}" --threads "${THREADS:-1}" \
    --shard "$PART/$PARTS" --resume --quiet ${OPTIONS:-} -o "$OUTPUT" &
child=$!

# A machine that is taken away sends SIGTERM to this shell; copydesk then stores what is done. A signal ends wait, so wait again.
trap 'kill -TERM "$child"' TERM INT
wait "$child" || status=$?
while kill -0 "$child" 2>/dev/null; do
    status=0
    wait "$child" || status=$?
done

# Status 1 says that some records were set aside: the part is done all the same.
[ "$status" -le 1 ] || exit "$status"
