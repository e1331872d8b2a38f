#!/bin/sh
#SBATCH --job-name=hivemend
#SBATCH --cpus-per-task=1
#SBATCH --mem=512M
#SBATCH --time=02:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%A-%a.log
# Audits a list of machines as a Slurm job array: one task for each of N shards.
#
#   sbatch --array=1-N slurm-array.sh LIST N ANSWERS [OPTION OF hivemend audit]...
#
# LIST, ANSWERS and the evidence are on storage that every node sees. --array=1-200%20 runs 20 tasks at a time, and
# spares the storage. Submit from the folder with shard.sh, or export SHARD_SH with its path: Slurm runs a copy of this
# file from another folder. hivemend comes from HIVEMEND or PATH.
#
# A task without an answer goes back into the queue, twice at most, and may run on another node. Slurm itself requeues
# the tasks of a node that fails. A task that was cancelled or reached its --time stays ended. List such tasks and submit them
# again, with the same N:
#
#   sbatch --array="$(./missing.sh N ANSWERS)" slurm-array.sh LIST N ANSWERS
set -eu

if [ $# -lt 3 ] || [ -z "${SLURM_ARRAY_TASK_ID:-}" ]; then
  printf 'Submit this file: sbatch --array=1-N slurm-array.sh LIST N ANSWERS [OPTION OF hivemend audit]...\n' >&2
  exit 64
fi
list=$1 shards=$2 answers=$3
shift 3
code=0
"${SHARD_SH:-$SLURM_SUBMIT_DIR/shard.sh}" "$list" "$SLURM_ARRAY_TASK_ID" "$shards" "$answers" \
  --jobs "${SLURM_CPUS_PER_TASK:-1}" "$@" || code=$?

# 143: SIGTERM, with which Slurm ends a task that was cancelled or reached its limit.
case $code in
  0 | 64 | 143) exit "$code" ;;
esac
if [ "${SLURM_RESTART_COUNT:-0}" -lt 2 ]; then
  printf 'slurm-array.sh: shard %s exited with %s and goes back into the queue\n' "$SLURM_ARRAY_TASK_ID" "$code" >&2
  # Not SLURM_JOB_ID: for one task of the array, it is the number of the whole array.
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
fi
exit "$code"
