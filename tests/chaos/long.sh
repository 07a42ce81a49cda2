#!/usr/bin/env bash
# The long run: every fault in every layout, ten seeds each, in some 20 minutes of load and more with starts and ends.
#   tests/chaos/long.sh [REPORT.jsonl]
# ROOMBUS_BIN names another program, LAYOUTS other layouts (sqlite,redis,cluster,cluster-redis,topology).
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
exec node campaign.mjs --layouts "${LAYOUTS:-sqlite,redis,cluster,cluster-redis}" --seeds "${SEEDS:-1-10}" --seconds "${SECONDS_EACH:-6}" \
  --stop-ms "${STOP_MS:-20000}" --report "${1:-chaos-report.jsonl}"
