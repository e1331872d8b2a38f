#!/bin/sh
# Prints the shards of N that have no answer in ANSWERS, with commas between them, as `sbatch --array` takes them.
#
#   missing.sh N ANSWERS
set -eu
[ $# -eq 2 ] || {
  printf 'missing.sh: %s arguments. Expected 2: N ANSWERS\n' "$#" >&2
  exit 64
}
for shard in $(seq "$1"); do
  [ -e "$2/shard-$shard-of-$1.jsonl" ] || printf '%s\n' "$shard"
done | paste -sd, -
