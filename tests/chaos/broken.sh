#!/usr/bin/env bash
# Builds roombus with one guarantee taken out at a time (broken/*.patch) and runs the checker, which must notice.
#   tests/chaos/broken.sh [NAME…]
# BROKEN_FOLDER (default: in the temporary folder) keeps the copy of the tree and its build between calls.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -- "$here/../.." && pwd)
tree=${BROKEN_FOLDER:-${TMPDIR:-/tmp}/roombus-broken}
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  for file in "$here"/broken/*.patch; do names+=("$(basename "$file" .patch)"); done
fi

refresh() { # the tree as it is in the repository; what is the same keeps its time, so little is built
  mkdir -p "$tree/source"
  (cd "$root" && git ls-files -z -- . ':!tests' ':!docs') > "$tree/files"
  while IFS= read -r -d '' file; do
    [ -f "$root/$file" ] || continue
    cmp -s "$root/$file" "$tree/source/$file" && continue
    mkdir -p "$tree/source/$(dirname "$file")"
    cp "$root/$file" "$tree/source/$file"
  done < "$tree/files"
  mkdir -p "$tree/source/tests"
  : > "$tree/source/tests/CMakeLists.txt"
}

# a compiler cache knows the files by their place in the tree
export CCACHE_BASEDIR=$tree/source CCACHE_NOHASHDIR=1
missed=0
for name in "${names[@]}"; do
  patch_file=$here/broken/$name.patch
  [ -f "$patch_file" ] || { echo "broken.sh: no $patch_file" >&2; exit 2; }
  refresh
  patch -s -p1 -d "$tree/source" < "$patch_file"
  (cd "$tree/source" && cmake --preset debug -DROOMBUS_TESTS=OFF -DROOMBUS_EXAMPLES=OFF > "$tree/configure.log" && cmake --build --preset debug --target roombus roombus_mosquitto > "$tree/build.log") ||
    { tail -20 "$tree/configure.log" "$tree/build.log" >&2; exit 2; }
  caught=
  while read -r layout fault seeds seconds delivery; do
    for seed in $(seq "${seeds%-*}" "${seeds#*-}"); do
      line=$(ROOMBUS_BIN=$tree/source/build/debug/bin/roombus node "$here/run.mjs" --layout "$layout" --fault "$fault" --seed "$seed" \
        --seconds "$seconds" ${delivery:+--delivery "$delivery"} --stop-ms 9000 --records "$tree/records") || status=$?
      if [ "${status:-0}" -eq 1 ]; then
        rules=$(node -e 'const r = JSON.parse(process.argv[1]); console.log(r.violationCount, [...new Set(r.violations.map(v => v.rule))].join(" "))' "$line")
        caught="$layout $fault seed $seed: $rules"
        break 2
      elif [ "${status:-0}" -ne 0 ]; then
        echo "$name: $line" >&2
      fi
      status=0
    done
  done < <(sed -n 's/^Run: //p' "$patch_file")
  status=0
  if [ -n "$caught" ]; then
    echo "$name: caught, $caught"
  else
    echo "$name: NOT caught"
    missed=1
  fi
done
exit $missed
