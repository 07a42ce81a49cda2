# Shared by the scripts; sourced, never run.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
fail() {
  printf '%s: %s\n' "$(basename -- "$0")" "$*" >&2
  exit 1
}

# One compiler per core, but no more than memory allows: a file with Beast takes up to 1.5 GB.
jobs_that_fit() {
  local cores gigabytes
  cores=$(nproc)
  gigabytes=$(awk '/^MemAvailable:/ {print int($2 / 1572864)}' /proc/meminfo)
  [ "${gigabytes:-0}" -ge 1 ] || gigabytes=1
  if [ "$cores" -lt "$gigabytes" ]; then echo "$cores"; else echo "$gigabytes"; fi
}

# build_preset PRESET [TARGET…]
build_preset() {
  local preset=$1
  shift
  cd "$root"
  say "building ($preset)"
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset" -j "${JOBS:-$(jobs_that_fit)}" ${1:+--target "$@"}
}
