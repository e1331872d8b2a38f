#!/usr/bin/env bash
# Times an audit of a real pair of hives, as a whole process, beside the same look-ups done with other readers of hives,
# and beside hashing the same files. All of it in one run and in turns, so that a busy machine is unfair to nobody.
#
#   HIVEMEND_CORPUS=FOLDER benches/peers.sh [ROUNDS]
#
# The folder holds win81-x64-dirty-no-logs/{SOFTWARE,SYSTEM}, or the same with .xz. Needed: cargo, hyperfine, GNU time,
# python3. A peer that is not there is skipped: libhivex0 and libregf1 (and cc), libhivex-bin, python3-hivex,
# python3-libregf; dissect.regf and regipy are installed into a virtual environment of this run, or found in $PEERS_VENV.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-5}
corpus=${HIVEMEND_CORPUS:?names the folder of real hives}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
peers=benches/peers

skip() { printf 'skipped: %s\n' "$*" >&2; }

pair=$corpus/win81-x64-dirty-no-logs
if [ ! -f "$pair/SOFTWARE" ]; then
  mkdir "$work/pair"
  for hive in SOFTWARE SYSTEM; do xz -dc "$pair/$hive.xz" >"$work/pair/$hive"; done
  pair=$work/pair
fi
hives=("$pair/SOFTWARE" "$pair/SYSTEM")
/usr/bin/python3 $peers/lookups.py src/baselines/windows-8.1.toml >"$work/lookups"

cargo build --release --quiet
hivemend=${CARGO_TARGET_DIR:-target}/release/hivemend

names=()
commands=()
add() {
  names+=("$1")
  commands+=("$(printf '%q ' "${@:2}")")
}

# The peers' answers are compared: who reads something else is not timed for the same work.
expected=
peer() {
  local answer
  if ! answer=$("${@:2}" "$work/lookups" "${hives[@]}" 2>/dev/null); then
    skip "$1"
    return
  fi
  [ -n "$expected" ] || expected=$answer
  [ "$answer" = "$expected" ] || printf '%s found %s, others %s\n' "$1" "$answer" "$expected" >&2
  add "$1" "${@:2}" "$work/lookups" "${hives[@]}"
}

add "hivemend audit --no-hash" "$hivemend" audit --exit-zero --no-hash "$pair"
add "hivemend audit --no-hash --no-mmap" "$hivemend" audit --exit-zero --no-hash --no-mmap "$pair"

for library in hivex regf; do
  if cc -O2 -o "$work/lib$library" "$peers/lib$library.c" "-l:lib$library.so.$([ $library = hivex ] && echo 0 || echo 1)"; then
    peer "lib$library, C" "$work/lib$library"
  else
    skip "lib$library, C"
  fi
done
peer "python3-hivex" /usr/bin/python3 $peers/lookup.py hivex
peer "python3-libregf" /usr/bin/python3 $peers/lookup.py pyregf
venv=${PEERS_VENV:-$work/venv}
[ -d "$venv" ] || { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet dissect.regf regipy; } || true
peer "dissect.regf" "$venv/bin/python" $peers/lookup.py dissect
peer "regipy" "$venv/bin/python" $peers/lookup.py regipy
if command -v hivexget >/dev/null; then
  add "hivexget, one value of SOFTWARE" hivexget "${hives[0]}" 'Microsoft\Windows NT\CurrentVersion\SvcHost' netsvcs
else
  skip hivexget
fi

add "hivemend audit" "$hivemend" audit --exit-zero "$pair"
add "sha256sum" sha256sum "${hives[@]}"
command -v openssl >/dev/null && add "openssl dgst -sha256" openssl dgst -sha256 "${hives[@]}"

for round in $(seq "$rounds"); do
  for index in "${!names[@]}"; do
    # A slow peer needs fewer runs for a median.
    runs=10
    [ "${names[index]}" = regipy ] && runs=1
    hyperfine --shell=none --style=none --warmup=1 --runs=$runs --command-name "${names[index]}" \
      --export-json "$work/$round-$index.json" "${commands[index]}" >/dev/null
  done
done
for index in "${!names[@]}"; do
  eval "/usr/bin/time --format=%M --output=$work/$index.rss ${commands[index]} >/dev/null"
done
/usr/bin/python3 $peers/table.py "$work" "${#names[@]}"
