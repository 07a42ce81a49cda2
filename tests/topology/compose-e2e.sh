#!/usr/bin/env bash
# The end-to-end tests of the main job against the services of docker-compose.yml: two instances, Mosquitto, Redis. Once
# with MQTT_IDENTITY=acl, where rooms come to each device's own topics, once with plugin, where the broker delivers them.
#
#   tests/topology/compose-e2e.sh [--identity acl|plugin] [--no-build] [FILE...]
#
# FILE is the name of a test of tests/e2e, without .test.mjs. Needs docker compose, node, and mosquitto with its clients;
# first `npm ci` in tests/e2e. HTTP_PORT, HTTP_PORT_2 and MQTT_PORT choose other ports, as for `docker compose up`. The
# services are a project of their own, which is removed at the end; end your `docker compose up` before, it has the same
# network. Ends with 1 when a test fails.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)

identities=(acl plugin)
build=1
files=()
while [ $# -gt 0 ]; do
  case $1 in
    --identity)
      [ $# -ge 2 ] || { echo '--identity: expected acl or plugin behind it' >&2; exit 2; }
      case $2 in acl | plugin) ;; *) echo "--identity: expected acl or plugin, got $2" >&2; exit 2 ;; esac
      identities=("$2")
      shift
      ;;
    --no-build) build=0 ;;
    -h | --help)
      awk 'NR > 1 && !/^#/ {exit} NR > 1 {sub(/^# ?/, ""); print}' "$0"
      exit 0
      ;;
    -*) echo "$1: no such option" >&2; exit 2 ;;
    *) files+=("${1%.test.mjs}") ;;
  esac
  shift
done
[ ${#files[@]} -gt 0 ] || files=(browser_and_device permissions catch_up direct_messages binary idempotency commands mqtt_requests mosquitto_cli)
for file in "${files[@]}"; do
  [ -f "$root/tests/e2e/$file.test.mjs" ] || { echo "$file: no such test" >&2; exit 2; }
done

cd -- "$root"
[ "$build" = 0 ] || docker compose build
cd tests/e2e
log=$(mktemp)
# each file removes what it started; this is for one that was cut short
trap 'rm -f -- "$log"; docker compose -f "$root/docker-compose.yml" -p roombus-e2e down -v -t 5 >/dev/null 2>&1 || true' EXIT
result=0
summary=()
for identity in "${identities[@]}"; do
  for file in "${files[@]}"; do
    echo "--- $file, MQTT_IDENTITY=$identity"
    SECONDS=0
    outcome=passed
    ROOMBUS_ON=compose MQTT_IDENTITY=$identity node --test --test-reporter=spec "$file.test.mjs" >"$log" 2>&1 || { outcome=FAILED; result=1; }
    cat -- "$log"
    skipped=$(awk '$2 == "skipped" {print $3}' "$log")
    summary+=("$(printf '%-8s%-20s%-8s%5d s, %d skipped' "$identity" "$file" "$outcome" "$SECONDS" "${skipped:-0}")")
  done
done
printf '%s\n' '' "${summary[@]}"
exit "$result"
