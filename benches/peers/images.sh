#!/usr/bin/env bash
# What each kind of disk image costs, in turns of one run: reading the whole disk out of it, by hivemend and by the format's
# own tool, and the audit of the hives on it. Prints two tables: MB/s, median seconds, most resident memory of one process.
# With root and FUSE also the way of an examiner: ewfmount, mount, audit, umount. Needs mkntfs, wimlib, qemu-img, ewf-tools, GNU time and python3;
# HIVEMEND_CORPUS is the folder of real hives.
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=${1:-5}
cargo build --release --quiet
hivemend=$PWD/target/release/hivemend
# Reads a whole disk out of an image.
disk=$(cargo bench --quiet --bench disk --no-run --message-format=json |
  python3 -c 'import json, sys
for line in sys.stdin:
    one = json.loads(line)
    if one.get("executable") and one["target"]["name"] == "disk":
        print(one["executable"])')
work=$(mktemp -d)
trap 'umount "$work/mnt" 2>/dev/null || true; umount "$work/ewf" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$work/img/Windows/System32/config" "$work/mnt" "$work/ewf"
cp "$HIVEMEND_CORPUS"/win81-x64-dirty-no-logs/* "$work/img/Windows/System32/config/"
cd "$work"
: >all
truncate -s 2G disk.raw
mkntfs -q -Q -F disk.raw >/dev/null 2>&1
wimcapture img img.wim --config=all --compress=none >/dev/null
wimapply img.wim 1 disk.raw >/dev/null 2>&1
# Other files, as a disk has them.
head -c 1500M /dev/urandom >noise
ntfscp -q disk.raw noise noise
rm noise
qemu-img convert -f raw -O vmdk disk.raw disk.vmdk
qemu-img convert -f raw -O vpc disk.raw disk.vhd
qemu-img convert -f raw -O vhdx disk.raw disk.vhdx
qemu-img convert -f raw -O vdi disk.raw disk.vdi
qemu-img convert -f raw -O qcow2 disk.raw disk.qcow2
ewfacquire -u -q -t disk -c deflate:fast -S 1400M -C x -D x -e x -E x -N x disk.raw >/dev/null

# The same files on a much larger disk: does memory grow with it?
truncate -s 200G large.raw
mkntfs -q -Q -F -c 4096 large.raw >/dev/null 2>&1
wimapply img.wim 1 large.raw >/dev/null 2>&1
rm img.wim
qemu-img convert -f raw -O qcow2 large.raw large.qcow2

# Median seconds of a command, and the most MB that were resident.
measure() {
  for _ in $(seq "$runs"); do
    /usr/bin/time -f '%e %M' -o figures -a sh -c "$1" >/dev/null 2>&1 || true
  done
  python3 - <<'PY'
import statistics
rows = [line.split() for line in open("figures") if len(line.split()) == 2]
print(f"{statistics.median(float(row[0]) for row in rows):.2f} {max(int(row[1]) for row in rows) // 1000}")
PY
  rm figures
}
# The hives alone, in archives.
zip -qr hives.zip img
tar -czf hives.tar.gz img
7z a -bso0 -bsp0 hives.7z img

size=$(stat -c %s disk.raw)
speed() { python3 -c "print(f'{$size / 1e6 / max($1, .01):.0f}')"; }

echo "| reading all of | hivemend | resident | the format's own tool | | resident |"
echo "|---|--:|--:|---|--:|--:|"
row() {
  read -r ours our_memory <<<"$(measure "$disk $1")"
  read -r theirs their_memory <<<"$(measure "$3")"
  echo "| $1 | $(speed "$ours") MB/s | $our_memory MB | $2 | $(speed "$theirs") MB/s | $their_memory MB |"
}
for image in disk.vmdk disk.vhd disk.vhdx disk.vdi disk.qcow2; do
  row "$image" "qemu-img convert" "qemu-img convert -O raw $image out.raw"
done
rm -f out.raw
row disk.raw "cat" "cat disk.raw"
row disk.E01 ewfexport "ewfexport -u -q -f raw -t - disk.E01"

echo
echo "| finding and auditing the hives on | takes | resident |"
echo "|---|--:|--:|"
audit() {
  read -r seconds memory <<<"$(measure "$2")"
  echo "| $1 | $seconds s | $memory MB |"
}
audit "their plain folder" "$hivemend audit img"
for image in disk.raw disk.vmdk disk.vhd disk.vhdx disk.vdi disk.qcow2 disk.E01 large.raw large.qcow2; do
  audit "$image" "$hivemend audit $image"
done
if [ "$(id -u)" = 0 ] && [ -e /dev/fuse ]; then
  audit "disk.E01, by ewfmount and ntfs-3g" \
    "ewfmount disk.E01 ewf && ntfs-3g -o ro ewf/ewf1 mnt && $hivemend audit mnt; umount mnt; umount ewf"
fi
for archive in hives.zip hives.tar.gz hives.7z; do
  audit "$archive" "$hivemend audit $archive"
done
audit "hives.zip, by unzip" "unzip -q hives.zip -d out && $hivemend audit out; rm -r out"
audit "hives.tar.gz, by tar" "mkdir out && tar -xzf hives.tar.gz -C out && $hivemend audit out; rm -r out"
audit "hives.7z, by 7z" "7z x -bso0 -bsp0 -oout hives.7z && $hivemend audit out; rm -r out"
