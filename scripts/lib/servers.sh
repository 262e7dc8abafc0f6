# shellcheck shell=bash
# Leads a script to a Postgres and a RabbitMQ: those the environment names, or private ones.

# use_servers NAME: exports DATABASE_URL and AMQP_URL, and sets `servers_to_stop` to NAME when they were started for it.
use_servers() {
  servers_to_stop=''
  if [[ -n ${DATABASE_URL:-} && -n ${AMQP_URL:-} ]]; then
    say 'using the servers that DATABASE_URL and AMQP_URL name'
    return
  fi
  if ! "$root/scripts/servers" status "$1" 2>/dev/null; then
    servers_to_stop=$1
    # Without the lock that some callers hold as file 9: the servers would keep it.
    "$root/scripts/servers" start "$1" 9>&-
  fi
  local settings
  settings=$("$root/scripts/servers" env "$1")
  eval "$settings"
}

# For an EXIT trap: stops what use_servers started, and nothing else.
stop_used_servers() {
  [[ -z ${servers_to_stop:-} ]] || "$root/scripts/servers" stop "$servers_to_stop" "$@"
}
