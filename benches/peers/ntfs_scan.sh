#!/usr/bin/env bash
# What it costs to look at every file of an NTFS volume: 500,000 files in an E01, by hivemend's pass over the $MFT and by
# `fls -r`. Prints a table: median seconds, most resident memory. Needs root, FUSE, ntfs-3g, ewf-tools, sleuthkit, GNU
# time and python3.
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=${1:-5}
files=${2:-500000}
scan=$(cargo bench --quiet --bench scan --no-run --message-format=json |
  python3 -c 'import json, sys
for line in sys.stdin:
    one = json.loads(line)
    if one.get("executable") and one["target"]["name"] == "scan":
        print(one["executable"])')
work=$(mktemp -d)
trap 'umount "$work/mnt" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/mnt"
cd "$work"
truncate -s 3G disk.raw
mkntfs -q -Q -F disk.raw >/dev/null 2>&1
ntfs-3g disk.raw mnt
python3 - "$files" <<'PY'
import os, sys
for folder in range(int(sys.argv[1]) // 1000):
    path = f"mnt/d{folder // 50:03d}/folder{folder:04d}"
    os.makedirs(path)
    for number in range(999):
        with open(f"{path}/file-{number:04d}.txt", "w") as file:
            file.write("x" * (number % 40))
PY
umount mnt
ewfacquire -u -q -t disk -c deflate:fast -S 1400M -C x -D x -e x -E x -N x disk.raw >/dev/null

# Median seconds of a command, and the most MB that were resident.
measure() {
  for _ in $(seq "$runs"); do
    /usr/bin/time -f '%e %M' -o figures -a sh -c "$1" >/dev/null 2>&1
  done
  python3 - <<'PY'
import statistics
rows = [line.split() for line in open("figures")]
print(f"{statistics.median(float(row[0]) for row in rows):.2f} s | {max(int(row[1]) for row in rows) // 1000} MB")
PY
  rm figures
}
echo "| every file of $files in an E01 | takes | resident |"
echo "|---|--:|--:|"
echo "| hivemend, one pass | $(measure "$scan disk.E01") |"
echo "| \`fls -r\` | $(measure "fls -r disk.E01") |"
