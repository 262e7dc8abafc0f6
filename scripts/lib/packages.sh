# shellcheck shell=bash
# What the scripts need on the machine. Root on Debian or Ubuntu gets it installed; everybody else is told what to install.

# The folder with the newest PostgreSQL's programs. Debian keeps them out of PATH, one folder per version.
postgres_bin() {
  local bin
  bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
  [[ -x $bin/initdb && -x $bin/postgres ]] || return 1
  printf '%s\n' "$bin"
}

# The server's own start script, not the wrapper in /usr/sbin that insists on the system's instance.
rabbitmq_server() {
  local program=/usr/lib/rabbitmq/bin/rabbitmq-server
  [[ -x $program ]] && command -v erl >/dev/null && command -v epmd >/dev/null || return 1
  printf '%s\n' "$program"
}

require_compiler() {
  command -v cargo >/dev/null ||
    fail 'cargo is not on the PATH' 'install Rust from https://rustup.rs, then run this again'
  command -v cc >/dev/null || install_packages gcc libc6-dev
}

require_servers() {
  local missing=()
  postgres_bin >/dev/null || missing+=(postgresql)
  rabbitmq_server >/dev/null || missing+=(rabbitmq-server)
  ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
  postgres_bin >/dev/null || fail 'no PostgreSQL server found below /usr/lib/postgresql'
  rabbitmq_server >/dev/null || fail 'no RabbitMQ server found in /usr/lib/rabbitmq/bin'
}

install_packages() {
  [[ $EUID == 0 ]] ||
    fail "these packages are missing: $*" "install them with: sudo apt-get install --no-install-recommends $*"
  command -v apt-get >/dev/null ||
    fail "these packages are missing: $*" 'this machine has no apt-get: install them by its own means'
  say "installing $* with apt"
  local log package
  log=$(mktemp)
  without_starting_services apt_install "$@" >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "apt could not install $*" "its whole output is in $log"
  }
  rm -f "$log"
  for package in "$@"; do
    keep_service_off "$package"
  done
}

apt_install() {
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

# We start private instances of our own, so the system's services are neither started by the installation ...
without_starting_services() {
  local policy=/usr/sbin/policy-rc.d status=0
  [[ ! -e $policy ]] || { "$@"; return; }
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  "$@" || status=$?
  rm -f "$policy"
  return "$status"
}

# ... nor at the next boot.
keep_service_off() {
  case $1 in
    postgresql | rabbitmq-server) ! command -v systemctl >/dev/null || systemctl disable --quiet "$1" || true ;;
  esac
}
