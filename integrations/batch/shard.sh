#!/bin/sh
# Audits one shard of a list of machines. Every recipe of this folder runs this script once for each shard.
#
#   shard.sh LIST I N ANSWERS [OPTION OF hivemend audit]...
#
# LIST      one machine a line, as `hivemend audit --files-from` reads it
# I, N      this shard and the number of shards: lines I, I+N, I+2N ... of LIST
# ANSWERS   the folder for the answer, shard-I-of-N.jsonl
#
# The answer appears whole or not at all: it gets its name only after its last record, the summary, was checked.
# HIVEMEND is the program to run (default: hivemend).
#
# Exit codes, for the engine:
#   0    there is an answer: hivemend exited with 0 (nothing found), 1 (findings) or 3 (incomplete: the answer says why)
#   2    no answer; retry. hivemend exited with 2, or its output was cut off. A report that states why nothing could be
#        read is kept as shard-I-of-N.refused.jsonl until a retry has an answer.
#   64   no answer; do not retry. The call is wrong.
#   101, 128 and above: no answer; retry. hivemend failed, or a signal stopped it or this script.
set -eu

wrong() {
  printf 'shard.sh: %s\n' "$1" >&2
  exit 64
}

number() {
  case $2 in
    '' | *[!0-9]* | 0*) wrong "$1 is \"$2\". Expected a number from 1, without leading zeros." ;;
  esac
}

[ $# -ge 4 ] || wrong "$# arguments. Expected at least 4: shard.sh LIST I N ANSWERS [OPTION OF hivemend audit]..."
list=$1 shard=$2 shards=$3 answers=$4
shift 4
number I "$shard"
number N "$shards"
[ "$shard" -le "$shards" ] || wrong "shard $shard of $shards does not exist. Use a number up to $shards."
name=shard-$shard-of-$shards
hivemend=${HIVEMEND:-hivemend}
command -v -- "$hivemend" >/dev/null || wrong "$hivemend was not found. Set HIVEMEND to the program, or add its folder to PATH."

# A list that cannot be read may be on storage that is away for a moment: retry.
[ -r "$list" ] || {
  printf 'shard.sh: the list %s cannot be read. Check the path; the shard can be retried.\n' "$list" >&2
  exit 2
}
split -n "r/$shard/$shards" -- "$list" | grep -q '[^[:space:]]' ||
  wrong "shard $shard of $shards of $list is empty. Use at most as many shards as the list has machines."

mkdir -p -- "$answers"
unfinished=$answers/.$name.$(uname -n).$$
audit=
trap 'rm -f -- "$unfinished"' EXIT

# The engine's signal goes on to hivemend, so that nothing runs on behind it.
stop() {
  if [ -n "$audit" ] && kill -s TERM "$audit" 2>/dev/null; then
    wait "$audit" || :
  fi
  exit "$1"
}
trap 'stop 129' HUP
trap 'stop 130' INT
trap 'stop 143' TERM

split -n "r/$shard/$shards" -- "$list" |
  "$hivemend" audit --files-from - --format jsonl --output "$unfinished" --overwrite "$@" &
audit=$!
code=0
wait "$audit" || code=$?

whole() {
  [ -f "$unfinished" ] && tail -n 1 -- "$unfinished" | grep -q '^{"record":"summary",.*}$'
}

case $code in
  0 | 1 | 3)
    whole || {
      printf 'shard.sh: hivemend exited with %s, but the output of %s has no final summary. Retry.\n' "$code" "$name" >&2
      exit 2
    }
    mv -f -- "$unfinished" "$answers/$name.jsonl"
    rm -f -- "$answers/$name.refused.jsonl"
    ;;
  2)
    if whole; then
        mv -f -- "$unfinished" "$answers/$name.refused.jsonl"
    fi
    exit 2
    ;;
  *) exit "$code" ;;
esac
