#!/usr/bin/env bash
# Times the audit of a disk in each kind of image, and reading the disk out of it by the format's own tool, in turns of one
# run. Prints a table: median seconds of both, MB of hives and of disk a second, resident memory. With root and FUSE also
# the way of an examiner: ewfmount, mount, audit, umount. Needs mkntfs, wimlib, qemu-img, ewf-tools, GNU time and python3;
# HIVEMEND_CORPUS is the folder of real hives.
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=${1:-5}
cargo build --release --quiet
hivemend=$PWD/target/release/hivemend
work=$(mktemp -d)
trap 'umount "$work/mnt" 2>/dev/null || true; umount "$work/ewf" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$work/img/Windows/System32/config" "$work/mnt" "$work/ewf"
cp "$HIVEMEND_CORPUS"/win81-x64-dirty-no-logs/* "$work/img/Windows/System32/config/"
cd "$work"
: >all
truncate -s 2G disk.raw
mkntfs -q -F disk.raw
wimcapture img img.wim --config=all --compress=none >/dev/null
wimapply img.wim 1 disk.raw >/dev/null
rm img.wim
# Other files, as a disk has them.
head -c 700M /dev/urandom >noise
ntfscp -q disk.raw noise noise
rm noise
qemu-img convert -f raw -O vmdk disk.raw disk.vmdk
qemu-img convert -f raw -O vpc disk.raw disk.vhd
qemu-img convert -f raw -O vhdx disk.raw disk.vhdx
qemu-img convert -f raw -O vdi disk.raw disk.vdi
qemu-img convert -f raw -O qcow2 disk.raw disk.qcow2
ewfacquire -u -q -t disk -c deflate:fast -S 1400M -C x -D x -e x -E x -N x disk.raw >/dev/null

# Median seconds of a command, and the most KB that were resident.
measure() {
  for _ in $(seq "$runs"); do
    /usr/bin/time -f '%e %M' -o figures -a sh -c "$1" >/dev/null 2>&1 || true
  done
  python3 - <<'PY'
import statistics
rows = [line.split() for line in open("figures") if len(line.split()) == 2]
print(f"{statistics.median(float(row[0]) for row in rows):.2f} s, {max(int(row[1]) for row in rows) // 1000} MB")
PY
  rm figures
}
echo "| image | hivemend audit | resident | reading the whole disk with | takes | resident |"
echo "|---|--:|--:|---|--:|--:|"
row() {
  ours=$(measure "$hivemend audit $1")
  theirs=$(measure "$3")
  echo "| $1 | ${ours/, / | } | $2 | ${theirs/, / | } |"
}
for image in disk.raw disk.vmdk disk.vhd disk.vhdx disk.vdi disk.qcow2; do
  row "$image" "qemu-img convert" "qemu-img convert -O raw $image out.raw"
done
row disk.E01 ewfexport "ewfexport -u -q -f raw -t - disk.E01 >/dev/null"
row disk.E01 "hivemend --verify-image" "$hivemend find disk.E01 --verify-image --no-hash"
if [ "$(id -u)" = 0 ] && [ -e /dev/fuse ]; then
  row disk.E01 "ewfmount, mount, audit, umount" \
    "ewfmount disk.E01 ewf && mount -t ntfs-3g -o ro,loop ewf/ewf1 mnt && $hivemend audit mnt; umount mnt; umount ewf"
fi
