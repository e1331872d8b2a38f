#!/usr/bin/env bash
# Times `show --recursive` of whole hives, in each form, beside `hivexregedit --export`, in turns and in one run, and
# prints the memory that each takes beside the file itself, which both hold (mapped or read).
#
#   HIVEMEND_CORPUS=FOLDER benches/peers/show.sh [ROUNDS]
#
# The hives: win81-x64-dirty-no-logs/SOFTWARE of the folder, and one of 500,000 keys that hivex makes (1.6 GB, in $TMPDIR).
# Needed: cargo, libwin-hivex-perl, python3-hivex, GNU time.
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=${1:-3}
real=${HIVEMEND_CORPUS:?names the folder of real hives}/win81-x64-dirty-no-logs/SOFTWARE
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --quiet --release
hivemend=${CARGO_TARGET_DIR:-target}/release/hivemend
cargo run --quiet -p hive-fixtures -- "$work/base" windows-xp >/dev/null
/usr/bin/python3 benches/peers/many_keys.py "$(find "$work/base" -name SOFTWARE)" "$work/many" 500000 >&2

# One run: seconds and kilobytes into $work/$1, what it printed counted.
run() {
  local name=$1 status=0
  shift
  /usr/bin/time --quiet --append --format='%e %M' --output="$work/$name" "$@" 2>/dev/null | wc -lc >"$work/$name.printed" || status=$?
  # 3: the real hive is dirty.
  [ "$status" = 0 ] || [ "$status" = 3 ] || exit "$status"
}

echo "| hive | command | median | resident beside the file | lines | MB |"
echo "|---|---|--:|--:|--:|--:|"
for hive in "$real" "$work/many"; do
  forms=(reg json table hivexregedit)
  for _ in $(seq "$rounds"); do
    for form in "${forms[@]}"; do
      if [ "$form" = hivexregedit ]; then
        PERL_UNICODE=SD run "$form" hivexregedit --export --prefix 'HKEY_LOCAL_MACHINE\SOFTWARE' "$hive" '\'
      else
        run "$form" "$hivemend" show "$hive" --recursive --format "$form"
      fi
    done
  done
  size=$(stat -c %s "$hive")
  for form in "${forms[@]}"; do
    command="show --recursive --format $form"
    [ "$form" != hivexregedit ] || command="hivexregedit --export"
    sort -n "$work/$form" | awk -v size="$size" -v command="$command" -v printed="$(cat "$work/$form.printed")" '
      { seconds[NR] = $1; if ($2 > most) most = $2 }
      END {
        split(printed, count, " ")
        printf "| %.0f MB | `%s` | %.1f s | %.0f MB | %d | %.0f |\n", size / 1e6, command, seconds[int((NR + 1) / 2)],
          most / 1024 - size / 1048576, count[1], count[2] / 1e6
      }'
    rm "$work/$form"
  done
done
