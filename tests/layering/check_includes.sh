#!/usr/bin/env bash
# check_includes.sh ROOT: fails when one of our #include lines goes against the layers, telling each.
#
#   core            -> core, and of the outside only the standard library and Boost's error types
#   schemas/codec   -> core
#   adapters/X      -> core, schemas, adapters/http, adapters/loop; adapters/mosquitto (its plugin logs devices in) also
#                      adapters/auth; adapters/redis and adapters/hooks also adapters/net
#   bridge/X        -> core, schemas; bridge/paho, bridge/admin, bridge/hooks and bridge/cluster also bridge/mqtt
#   bridge/server   -> everything
#   include         -> everything but bridge/server; only examples and tests include it, by <roombus/…>
#   tests           -> everything
#
# Headers of libraries that are heavy or of one transport, broker or store must not leave the folder that needs them:
# no header may reach one of them, through our own headers, from another folder.
set -euo pipefail
export LC_ALL=C
[ $# = 1 ] && [ -d "$1" ] || {
  echo 'usage: check_includes.sh ROOT' >&2
  exit 2
}
cd -- "$1"

folders=()
for folder in core schemas adapters bridge include tests; do [ ! -d $folder ] || folders+=("$folder"); done
[ ${#folders[@]} -gt 0 ] || {
  echo "check_includes: no sources in $1" >&2
  exit 2
}

find "${folders[@]}" -name node_modules -prune -o -type f \( -name '*.hpp' -o -name '*.cpp' -o -name '*.h' \) -print0 | sort -z |
  xargs -0 grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]' /dev/null | awk '
function folder_of(path) { sub(/\/[^\/]*$/, "", path); return path }
function within(path, folder) { return index(path "/", folder "/") == 1 }
function layer_of(path) {
  if (within(path, "core")) return "core"
  if (within(path, "schemas")) return "schemas"
  if (within(path, "include")) return "include"
  if (within(path, "tests")) return "tests"
  if (match(path, /^(adapters|bridge)\/[^\/]*/)) return substr(path, 1, RLENGTH)
  return path
}
function allowed(from, to) {
  if (from == to || from == "tests" || from == "bridge/server") return to != "tests" || from == "tests"
  if (from == "include") return to != "tests" && to != "bridge/server"
  if (to == "core") return 1
  if (from == "core") return 0
  if (to == "schemas") return 1
  if (from == "schemas") return 0
  if (from == "adapters/mosquitto" && to == "adapters/auth") return 1
  if (to == "adapters/net" && (from == "adapters/redis" || from == "adapters/hooks")) return 1
  if (within(from, "adapters")) return to == "adapters/http" || to == "adapters/loop"
  if (from == "bridge/paho" || from == "bridge/admin" || from == "bridge/hooks" || from == "bridge/cluster") return to == "bridge/mqtt"
  return 0
}
function complain(file, line, text) { print file ":" line ": " text; bad++ }
# the heavy header that `file` reaches through our headers, or ""
function reaches(file,    n, i, list, found) {
  if (file in known) return known[file]
  known[file] = ""  # ends circles
  if (file in heavy) return known[file] = heavy[file]
  n = split(includes[file], list, "\n")
  for (i = 1; i <= n; i++) {
    if (list[i] == "") continue
    found = reaches(list[i])
    if (found != "") return known[file] = found
  }
  return ""
}
{
  split($0, part, ":")
  file = part[1]
  line = part[2]
  lines++
  text = $0
  sub(/^[^:]*:[^:]*:/, "", text)
  quoted = text ~ /include[[:space:]]*"/
  sub(/^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]/, "", text)
  sub(/[">].*$/, "", text)
  from = layer_of(file)
  if (quoted) {
    if (text !~ /^(core|schemas|adapters|bridge|tests)\//) {
      complain(file, line, "\"" text "\": our headers are included by their path from the top")
      next
    }
    to = layer_of(text)
    if (!allowed(from, to)) complain(file, line, from " must not include " to " (\"" text "\")")
    includes[file] = includes[file] "\n" text
    uses[++count] = file "\n" line "\n" text
    next
  }
  if (text ~ /^roombus\// && from != "include" && from != "tests") {
    complain(file, line, from " must not include <" text ">: the public API is for those outside")
  }
  if (from == "core" && text ~ /[.\/]/ && text !~ /^boost\/(system|assert)\//) {
    complain(file, line, "core must not include <" text ">: only the standard library and Boost error types")
  }
  if (text ~ /^(boost\/(asio|beast|json)[.\/]|mqtt\/|toml\+\+\/|hiredis\/|openssl\/|sw\/)/ || text ~ /^(MQTT[A-Za-z]*|cbor|simdjson|sqlite3|zlib|mosquitto[a-z_]*)\.h$/) {
    if (file ~ /\.hpp$/) heavy[file] = text
  }
}
END {
  for (i = 1; i <= count; i++) {
    split(uses[i], use, "\n")
    if (layer_of(use[1]) == layer_of(use[3])) continue
    found = reaches(use[3])
    if (found != "") complain(use[1], use[2], "\"" use[3] "\" brings <" found "> out of " layer_of(use[3]))
  }
  if (lines == 0) { print "check_includes: no #include line found"; exit 2 }
  if (bad) { print bad " of " lines " #include lines go against the layers"; exit 1 }
  print lines " #include lines keep to the layers"
}'
