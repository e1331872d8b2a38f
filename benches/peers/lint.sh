#!/usr/bin/env bash
# Times `lint` of a large .reg file beside `iconv` and `wc`, which only convert the text and count its lines, in turns
# and in one run, and prints the memory of each.
#
#   HIVEMEND_CORPUS=FOLDER benches/peers/lint.sh [ROUNDS [COPIES]]
#
# The file, in UTF-16 as regedit writes it: COPIES of what `show` prints of win81-x64-dirty-no-logs/SOFTWARE of the
# folder, below different keys (98 MB each, in $TMPDIR; 4 unless stated). Needed: cargo, GNU time, iconv.
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=${1:-3}
copies=${2:-4}
hive=${HIVEMEND_CORPUS:?names the folder of real hives}/win81-x64-dirty-no-logs/SOFTWARE
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --quiet --release
hivemend=${HIVEMEND:-${CARGO_TARGET_DIR:-target}/release/hivemend}
# 3: the hive is dirty.
"$hivemend" show "$hive" --recursive --format reg >"$work/text" 2>/dev/null || [ $? = 3 ]
{
  printf '\xff\xfe'
  {
    head -n 1 "$work/text"
    for copy in $(seq "$copies"); do
      tail -n +2 "$work/text" | sed "s/^\[HKEY_LOCAL_MACHINE\\\\SOFTWARE/&$copy/"
    done
  } | sed 's/$/\r/' | iconv -f UTF-8 -t UTF-16LE
} >"$work/large.reg"
rm "$work/text"

run() {
  local name=$1 status=0
  shift
  /usr/bin/time --quiet --append --format='%e %U %M' --output="$work/$name" "$@" >/dev/null 2>&1 || status=$?
  [ "$status" -le 1 ] || exit "$status"
}

for _ in $(seq "$rounds"); do
  run lint "$hivemend" lint "$work/large.reg"
  run lint-regedit "$hivemend" lint "$work/large.reg" --importer regedit
  run lint-json "$hivemend" lint "$work/large.reg" --format json
  run iconv sh -c "iconv -f UTF-16 -t UTF-8 '$work/large.reg' | wc -l"
done
printf '%s MB\n' $(($(stat -c %s "$work/large.reg") / 1000000))
echo "| command | median | user | resident |"
echo "|---|--:|--:|--:|"
for name in lint lint-regedit lint-json iconv; do
  sort -n "$work/$name" | awk -v name="$name" '
    { seconds[NR] = $1; user[NR] = $2; if ($3 > most) most = $3 }
    END { printf "| %s | %.1f s | %.1f s | %.0f MB |\n", name, seconds[int((NR + 1) / 2)], user[int((NR + 1) / 2)], most / 1024 }'
done
