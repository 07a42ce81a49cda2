# What is needed from Debian 12 and 13, and its installation; sourced, never run.

packages_build=(
  build-essential cmake ninja-build ccache pkg-config git ca-certificates
  libssl-dev libargon2-dev zlib1g-dev libpaho-mqtt-dev libpaho-mqttpp-dev libcbor-dev libhiredis-dev libtomlplusplus-dev libsqlite3-dev mosquitto-dev libmosquitto-dev
  nodejs npm
)
packages_run=(mosquitto mosquitto-clients)
packages_test=(libgtest-dev openssl mosquitto mosquitto-clients redis-server nats-server chromium)
packages_check=(clang-format clang-tidy)
# scripts/install-brokers
packages_brokers=(ejabberd rabbitmq-server)

# Debian 12 has Boost 1.81 beside its default 1.74 (too old for us); Debian 13 has 1.83.
boost_package() {
  local name
  for name in libboost1.81-dev libboost1.83-dev libboost1.88-dev; do
    if is_installed "$name"; then
      echo "$name"
      return
    fi
  done
  for name in libboost1.81-dev libboost1.83-dev libboost1.88-dev; do
    if [ -n "$(apt-cache policy "$name" 2>/dev/null | awk '/Candidate:/ && $2 != "(none)"')" ]; then
      echo "$name"
      return
    fi
  done
  echo libboost-dev
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Some machines have Node.js from elsewhere; its package brings npm.
is_there() {
  case $1 in
    nodejs) command -v node >/dev/null ;;
    npm) command -v npm >/dev/null ;;
    *) is_installed "$1" ;;
  esac
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "root is needed to install packages, and there is no sudo: $*"
  fi
}

# install_packages NAME…: with apt, and only what is missing, so neither network nor root is needed when all is there.
# `boost` stands for the right Boost package.
install_packages() {
  local name missing=() boost=0
  for name in "$@"; do
    if [ "$name" = boost ]; then
      is_installed "$(boost_package)" || boost=1
    else
      is_there "$name" || missing+=("$name")
    fi
  done
  [ ${#missing[@]} -gt 0 ] || [ $boost = 1 ] || return 0
  command -v apt-get >/dev/null || fail "needs Debian 12 or 13; elsewhere install by hand: ${missing[*]}"
  say "installing: ${missing[*]}$([ $boost = 0 ] || echo ' boost')"
  as_root apt-get -q update
  [ $boost = 0 ] || missing+=("$(boost_package)")
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"
}
