#!/usr/bin/env bash
# install_test.sh CMAKE BUILD SOURCE NODE CXX_FLAGS: installs the embedding component of BUILD to a temporary folder,
# builds examples/forwarding from a copy against it, and runs that example's tests.
set -euo pipefail
cmake=$1 build=$2 source=$3 node=$4 flags=$5
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

"$cmake" --install "$build" --prefix "$work/prefix" --component embedding >"$work/install.log" ||
  fail "installation: $(cat "$work/install.log")"

# nothing of this machine's folders may be in what others install
for folder in "$source" "$build"; do
  ! grep -rlF --include='*.cmake' --include='*.hpp' -- "$folder" "$work/prefix" || fail "the files above name $folder"
done
# a user needs one include folder, and none of our heavy libraries
! grep -rnE '#include "(core|schemas|adapters|bridge)/' "$work/prefix/include" || fail 'includes by a path of ours'
! grep -rnE '#include <(boost/(asio|beast)|mqtt/|cbor)' "$work/prefix/include" || fail 'a heavy header is public'
[ "$(ls "$work/prefix/include")" = roombus ] || fail 'more than include/roombus was installed'

mkdir "$work/examples"
cp "$source/examples/CMakeLists.txt" "$work/examples"
for main in "$source"/examples/*/main.cpp; do cp -r "${main%/main.cpp}" "$work/examples"; done
"$cmake" -S "$work/examples" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_BUILD_TYPE=Debug \
  -DCMAKE_CXX_FLAGS="$flags -Wall -Wextra -Werror" >"$work/configure.log" 2>&1 || fail "$(cat "$work/configure.log")"
grep -q "^roombus_DIR:.*=$work/prefix" "$work/build/CMakeCache.txt" || fail 'another roombus was found'
"$cmake" --build "$work/build" --target example_forwarding >"$work/build.log" 2>&1 || fail "$(cat "$work/build.log")"

cd "$source/tests/integration/examples"
EXAMPLES_BIN=$work/build "$node" --test forwarding.test.mjs >"$work/run.log" 2>&1 || fail "$(cat "$work/run.log")"
echo "installed, built and run"
