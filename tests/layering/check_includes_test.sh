#!/usr/bin/env bash
# Shows that check_includes.sh finds what it is for: each case is a small tree with one mistake.
set -euo pipefail
check=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)/check_includes.sh
tree=$(mktemp -d)
trap 'rm -rf -- "$tree"' EXIT
failed=0

# put FILE LINE…
put() {
  mkdir -p "$tree/$(dirname -- "$1")"
  printf '%s\n' "${@:2}" >"$tree/$1"
}
good_tree() {
  rm -rf -- "${tree:?}"/*
  put core/a.hpp '#include <string>' '#include <boost/system/result.hpp>' '#include "core/ports/p.hpp"'
  put core/ports/p.hpp '#include <vector>'
  put schemas/codec/c.hpp '#include "core/a.hpp"'
  put schemas/codec/c.cpp '#include "schemas/codec/c.hpp"' '#include <cbor.h>'
  put adapters/http/h.hpp '#include "core/a.hpp"'
  put adapters/http/inner.hpp '#include <boost/beast/core.hpp>'
  put adapters/http/h.cpp '#include "adapters/http/inner.hpp"' '#include "adapters/http/h.hpp"'
  put adapters/socketio/s.hpp '#include "adapters/http/h.hpp"' '#include "schemas/codec/c.hpp"'
  put adapters/net/n.hpp '#include "adapters/loop/l.hpp"'
  put adapters/redis/r.hpp '#include "adapters/net/n.hpp"'
  put adapters/mosquitto/plugin/g.hpp '#include "adapters/auth/a.hpp"'
  put bridge/mqtt/m.hpp '#include "schemas/codec/c.hpp"'
  put bridge/paho/l.cpp '#include "bridge/mqtt/m.hpp"' '#include <mqtt/async_client.h>'
  put bridge/server/main.cpp '#include "adapters/socketio/s.hpp"' '#include "bridge/mqtt/m.hpp"'
  put include/roombus/e.hpp '#include <roombus/f.hpp>' '#include "adapters/http/h.hpp"' '#include "bridge/mqtt/m.hpp"'
  put tests/core/t.cpp '#include <gtest/gtest.h>' '#include "core/a.hpp"' '#include "bridge/mqtt/m.hpp"'
}
# expect NAME STATUS TEXT
expect() {
  local status=0 out
  out=$("$check" "$tree" 2>&1) || status=$?
  if [ "$status" != "$2" ] || [[ $out != *"$3"* ]]; then
    printf 'FAILED %s: expected status %s and "%s", got %s:\n%s\n' "$1" "$2" "$3" "$status" "$out"
    failed=1
  fi
}
# wrong NAME FILE LINE TEXT
wrong() {
  good_tree
  printf '%s\n' "$3" >>"$tree/$2"
  expect "$1" 1 "$4"
}

good_tree
expect a_tree_that_keeps_to_the_layers 0 'keep to the layers'
wrong core_to_adapter core/a.hpp '#include "adapters/http/h.hpp"' 'core/a.hpp:4: core must not include adapters/http'
wrong core_to_codec core/a.hpp '#include "schemas/codec/c.hpp"' 'core must not include schemas'
wrong core_to_bridge core/ports/p.hpp '#include "bridge/mqtt/m.hpp"' 'core must not include bridge/mqtt'
wrong socket_in_core core/a.hpp '#include <sys/socket.h>' 'core must not include <sys/socket.h>'
wrong asio_in_core core/a.hpp '#include <boost/asio.hpp>' 'core must not include <boost/asio.hpp>'
wrong indented core/a.hpp '  #  include "adapters/http/h.hpp"' 'core must not include adapters/http'
wrong codec_to_adapter schemas/codec/c.hpp '#include "adapters/http/h.hpp"' 'schemas must not include adapters/http'
wrong adapter_to_bridge adapters/socketio/s.hpp '#include "bridge/mqtt/m.hpp"' 'adapters/socketio must not include bridge/mqtt'
wrong other_adapter_to_auth adapters/socketio/s.hpp '#include "adapters/auth/a.hpp"' 'adapters/socketio must not include adapters/auth'
wrong adapter_to_adapter adapters/http/h.hpp '#include "adapters/socketio/s.hpp"' 'adapters/http must not include adapters/socketio'
wrong other_adapter_to_net adapters/socketio/s.hpp '#include "adapters/net/n.hpp"' 'adapters/socketio must not include adapters/net'
wrong bridge_to_adapter bridge/mqtt/m.hpp '#include "adapters/http/h.hpp"' 'bridge/mqtt must not include adapters/http'
wrong bridge_to_link bridge/mqtt/m.hpp '#include "bridge/paho/l.hpp"' 'bridge/mqtt must not include bridge/paho'
wrong bridge_to_server bridge/paho/l.cpp '#include "bridge/server/c.hpp"' 'bridge/paho must not include bridge/server'
wrong program_to_tests bridge/server/main.cpp '#include "tests/core/t.hpp"' 'bridge/server must not include tests'
wrong public_api_to_program include/roombus/e.hpp '#include "bridge/server/c.hpp"' 'include must not include bridge/server'
wrong public_api_to_tests include/roombus/e.hpp '#include "tests/core/t.hpp"' 'include must not include tests'
wrong adapter_to_public_api adapters/http/h.cpp '#include <roombus/e.hpp>' 'the public API is for those outside'
wrong relative_path adapters/http/h.cpp '#include "h.hpp"' 'by their path from the top'
wrong heavy_header_leaves adapters/http/h.hpp '#include "adapters/http/inner.hpp"' 'brings <boost/beast/core.hpp> out of adapters/http'
wrong heavy_header_without_folder bridge/mqtt/m.hpp '#include <boost/asio.hpp>' 'brings <boost/asio.hpp> out of bridge/mqtt'
wrong heavy_header_in_public_api include/roombus/e.hpp '#include "adapters/http/inner.hpp"' 'brings <boost/beast/core.hpp> out of adapters/http'
wrong heavy_header_direct bridge/mqtt/m.hpp '#include <cbor.h>' 'brings <cbor.h> out of bridge/mqtt'
rm -rf -- "${tree:?}"/*
expect an_empty_tree 2 'no sources'
mkdir "$tree/core"
expect a_tree_without_includes 2 'no #include line'

[ $failed = 0 ] && echo 'all cases as expected'
exit $failed
