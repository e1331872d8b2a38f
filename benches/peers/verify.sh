#!/usr/bin/env bash
# Times `verify` of a patch of 5,947 operations on a large hive, beside `hivexregedit --merge` of the same patch into a
# copy of the hive, in turns and in one run, and prints the table.
#
#   HIVEMEND_CORPUS=FOLDER benches/peers/verify.sh [RUNS]
#
# The folder holds win81-x64-dirty-no-logs. Needed: cargo, libwin-hivex-perl, hyperfine, python3.
set -euo pipefail
cd "$(dirname "$0")/../.."

runs=${1:-5}
evidence=${HIVEMEND_CORPUS:?names the folder of real hives}/win81-x64-dirty-no-logs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --quiet --release
hivemend=${CARGO_TARGET_DIR:-target}/release/hivemend
# Every 45th key of those with an ASCII name gets two values, the first one three. 3: the hive is dirty.
"$hivemend" show "$evidence/SOFTWARE" Microsoft --recursive --format reg >"$work/all.reg" 2>/dev/null || [ $? = 3 ]
LC_ALL=C awk '
  BEGIN { printf "Windows Registry Editor Version 5.00\r\n\r\n" }
  /^\[HKEY[ -~]*\]/ && seen++ % 45 == 0 && made < 1982 {
    sub(/\r$/, "")
    printf "%s\r\n\"hivemend 1\"=dword:%08x\r\n\"hivemend 2\"=\"text %d\"\r\n", $0, made, made
    if (made++ == 0) printf "\"hivemend 3\"=\"text\"\r\n"
    printf "\r\n"
  }' "$work/all.reg" >"$work/patch.reg"

hyperfine --runs "$runs" --warmup 1 --ignore-failure --export-json "$work/times.json" \
  --prepare "cp '$evidence/SOFTWARE' '$work/hive'" \
  "$hivemend verify $work/patch.reg $evidence --importer regedit --format json" \
  "$hivemend verify $work/patch.reg $evidence --importer hivexregedit --format json" \
  "hivexregedit --merge --prefix 'HKEY_LOCAL_MACHINE\\SOFTWARE' $work/hive $work/patch.reg" >&2
python3 - "$work/times.json" <<'PY'
import json, sys
results = json.load(open(sys.argv[1]))["results"]
names = ["`verify --importer regedit`", "`verify --importer hivexregedit`", "`hivexregedit --merge`"]
print("| command | median | least | hivexregedit takes so many times as long: median, least |")
print("|---|--:|--:|--:|")
for name, result in zip(names, results):
    median, least = (results[-1][of] / result[of] for of in ("median", "min"))
    print(f"| {name} | {result['median'] * 1000:.0f} ms | {result['min'] * 1000:.0f} ms | {median:.1f}, {least:.1f} |")
PY
