#!/bin/sh
# Audits a list of machines in N shards on this machine, with GNU parallel.
#
#   parallel.sh LIST N ANSWERS [OPTION OF hivemend audit]...
#
# Runs as many shards at a time as there are processors, or JOBS of them. A shard without an answer is retried twice.
# After an interruption, the same call runs only the shards that have no answer yet: ANSWERS/parallel-N.log lists those
# that ran. The exit code is the number of shards without an answer, or 101 if there are more.
set -eu

[ $# -ge 3 ] || {
  printf 'parallel.sh: %s arguments. Expected at least 3: LIST N ANSWERS [OPTION OF hivemend audit]...\n' "$#" >&2
  exit 64
}
list=$1 shards=$2 answers=$3
shift 3
mkdir -p -- "$answers"
# --quote: file names and options may have spaces. --plain: no options from the user's own files.
exec parallel --plain --quote --jobs "${JOBS:-100%}" --retries 3 --resume-failed --joblog "$answers/parallel-$shards.log" \
  "$(dirname -- "$0")/shard.sh" "$list" '{}' "$shards" "$answers" --jobs 1 "$@" ::: $(seq "$shards")
