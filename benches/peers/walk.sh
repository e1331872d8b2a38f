#!/usr/bin/env bash
# Times a whole walk of a large hive as a process, with hivemend and with libhivex, in turns and in one run: every key's
# name and time, every value's name, type and data, every byte of the data. Prints medians, the ratio, and memory.
#
#   HIVEMEND_CORPUS=FOLDER benches/peers/walk.sh [ROUNDS]
#
# The folder holds win81-x64-dirty-no-logs/SOFTWARE. Needed: cargo, cc, libhivex0, hyperfine, GNU time, python3.
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=${1:-10}
hive=${HIVEMEND_CORPUS:?names the folder of real hives}/win81-x64-dirty-no-logs/SOFTWARE
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cc -O2 -o "$work/walk_hivex" benches/peers/walk_hivex.c -l:libhivex.so.0
walk=$(cargo bench --bench walk --no-run --message-format=json-render-diagnostics |
  python3 -c 'import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["target"]["name"] == "walk": print(message["executable"])')
names=("hivemend, walk" "hivemend, walk and check" "hivex, C")
commands=("$walk $hive 1 walk" "$walk $hive 1 check" "$work/walk_hivex $hive 1")

for index in "${!names[@]}"; do
  # What was read: a walk that finds less is no walk.
  ${commands[index]} | cut -f 2-4 >"$work/$index.found"
  cmp "$work/0.found" "$work/$index.found"
  /usr/bin/time --format=%M --output="$work/$index.rss" ${commands[index]} >/dev/null
done
for round in $(seq "$rounds"); do
  for index in "${!names[@]}"; do
    hyperfine --shell=none --style=none --warmup=1 --runs=5 --command-name "${names[index]}" \
      --export-json "$work/$round-$index.json" "${commands[index]}" >/dev/null
  done
done
cat "$work/0.found"
python3 - "$work" "${#names[@]}" <<'PYTHON'
import json, statistics, sys
from pathlib import Path

folder, rows = Path(sys.argv[1]), []
for index in range(int(sys.argv[2])):
    results = [json.loads(path.read_text())["results"][0] for path in folder.glob(f"*-{index}.json")]
    times = [1000 * time for result in results for time in result["times"]]
    resident = int((folder / f"{index}.rss").read_text()) / 1024
    rows.append((results[0]["command"], statistics.median(times), min(times), len(times), resident))
hivex = rows[-1]
print("| command | median | least | runs | hivex takes so many times as long: median, least | resident |")
print("|---|--:|--:|--:|--:|--:|")
for name, median, least, runs, resident in rows:
    ratios = f"{hivex[1] / median:.1f}, {hivex[2] / least:.1f}"
    print(f"| {name} | {median:.0f} ms | {least:.0f} ms | {runs} | {ratios} | {resident:.0f} MB |")
PYTHON
