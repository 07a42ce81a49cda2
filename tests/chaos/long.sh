#!/usr/bin/env bash
# The long run: ten seeds of every fault, by turns in all layouts, some 20 minutes of load.
#   tests/chaos/long.sh [REPORT.jsonl]
# ROOMBUS_BIN names another program, LAYOUTS other layouts (add topology where ejabberd is installed), JOBS how many runs at a time.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
exec node campaign.mjs --rotate --layouts "${LAYOUTS:-sqlite,redis,cluster,cluster-redis}" --seeds "${SEEDS:-1-10}" --seconds "${SECONDS_EACH:-8}" \
  --stop-ms "${STOP_MS:-20000}" --jobs "${JOBS:-1}" --report "${1:-chaos-report.jsonl}"
