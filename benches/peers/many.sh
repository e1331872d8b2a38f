#!/usr/bin/env bash
# Times an audit of many small pairs of hives, as JSON Lines, by this build, and by another build of hivemend if $BEFORE
# names one, beside `sha256sum` of the same files on all cores. In turns and in one run.
#
#   [BEFORE=PROGRAM] benches/peers/many.sh [ROUNDS [PAIRS]]
#
# The pairs are copies of a made Windows 7 whose BITS is disabled (12 KB and 61 KB each, in $TMPDIR; 5,000 unless stated).
# Needed: cargo, GNU time.
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=${1:-3}
pairs=${2:-5000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --quiet --release
hivemend=${HIVEMEND:-${CARGO_TARGET_DIR:-target}/release/hivemend}
cargo run --quiet -p hive-fixtures -- "$work/made" windows-7-bits-disabled >/dev/null
made=$(dirname "$(find "$work/made" -name SOFTWARE)")
for number in $(seq -w "$pairs"); do
  mkdir -p "$work/pairs/pc$number"
  cp "$made/SOFTWARE" "$made/SYSTEM" "$work/pairs/pc$number/"
done
find "$work/pairs" -type f | sort >"$work/files"

run() {
  local name=$1
  shift
  /usr/bin/time --quiet --append --format='%e %U %M' --output="$work/time-$name" "$@" >"$work/out" 2>/dev/null
}

audit=(audit "$work/pairs" --format jsonl --exit-zero)
for _ in $(seq "$rounds"); do
  run audit-no-hash "$hivemend" "${audit[@]}" --no-hash
  run audit "$hivemend" "${audit[@]}"
  if [ -n "${BEFORE:-}" ]; then
    run before-no-hash "$BEFORE" "${audit[@]}" --no-hash
    run before "$BEFORE" "${audit[@]}"
  fi
  run sha256sum xargs -a "$work/files" -P "$(nproc)" -n 500 sha256sum
done
echo "| command | median | least | user | resident |"
echo "|---|--:|--:|--:|--:|"
for name in audit-no-hash audit before-no-hash before sha256sum; do
  [ -f "$work/time-$name" ] || continue
  sort -n "$work/time-$name" | awk -v name="$name" '
    { seconds[NR] = $1; user[NR] = $2; if ($3 > most) most = $3 }
    END { printf "| %s | %.2f s | %.2f s | %.2f s | %.0f MB |\n", name, seconds[int((NR + 1) / 2)], seconds[1], user[int((NR + 1) / 2)], most / 1024 }'
done
