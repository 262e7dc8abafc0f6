# shellcheck shell=bash
# A private RabbitMQ: own node name, cookie, data, configuration and port mapper, loopback only. Sourced after instance.sh.

# The server writes its own id; the mark is an argument that we give it and it ignores.
rabbitmq_running() { recorded_process "$home/rabbitmq/pid" "holdfast-$instance" >/dev/null; }

start_rabbitmq() {
  ! rabbitmq_running || return 0
  local account folder
  require_rabbitmq_ports
  account=$(server_account rabbitmq)
  folder=$(server_folder rabbitmq "$account")
  write_rabbitmq_files "$account" "$folder"
  become "$account"
  start_port_mapper "$folder"
  rabbitmq_environment "$folder"
  setsid "${as[@]}" "${rabbitmq_environment[@]}" "$(rabbitmq_server)" </dev/null >"$folder/output" 2>&1 &
  local launcher=$!
  wait_until 90 rabbitmq_answers_or_ended "$launcher" && port_in_use "$rabbitmq_port" || {
    tail -n 15 "$folder/output" >&2
    stop_rabbitmq
    fail 'RabbitMQ did not start' "its output is $folder/output"
  }
}

require_rabbitmq_ports() {
  require_free_port "$rabbitmq_port" "choose another for RabbitMQ with $rabbitmq_setting=PORT"
  require_free_port "$management_port" "choose another for RabbitMQ's management with $management_setting=PORT"
  require_free_port "$distribution_port" "choose another for Erlang's distribution with $distribution_setting=PORT"
  # It outlives a killed server, and serves the next one.
  port_mapper_running || require_free_port "$epmd_port" "choose another for Erlang's port mapper with $epmd_setting=PORT"
}

rabbitmq_answers_or_ended() { port_in_use "$rabbitmq_port" || ! kill -0 "$1" 2>/dev/null; }

port_mapper_running() { recorded_process "$home/epmd.pid" epmd >/dev/null; }

# Erlang would start a port mapper by itself, on the system's port and for ever.
start_port_mapper() { # FOLDER
  ! port_mapper_running || return 0
  setsid "${as[@]}" epmd -port "$epmd_port" -address 127.0.0.1 </dev/null >"$1/epmd.output" 2>&1 &
  # Recorded outside the server's folder: that one is its account's, this id is ours to signal.
  printf '%s\n' "$!" >"$home/epmd.pid"
  wait_until 5 port_in_use "$epmd_port" || fail "Erlang's port mapper did not start" "its output is $1/epmd.output"
}

write_rabbitmq_files() { # ACCOUNT FOLDER
  (
    umask 077
    printf '[rabbitmq_management].\n' >"$2/enabled_plugins"
    : >"$2/environment.conf"
    cat >"$2/rabbitmq.conf" <<SETTINGS
listeners.tcp.1 = 127.0.0.1:$rabbitmq_port
management.tcp.ip = 127.0.0.1
management.tcp.port = $management_port
default_user = holdfast
default_pass = $(server_password)
disk_free_limit.absolute = 200MB
log.file.level = warning
SETTINGS
  )
  [[ $EUID != 0 ]] || chown "$1:$1" "$2"/{enabled_plugins,environment.conf,rabbitmq.conf}
}

rabbitmq_environment() { # FOLDER: sets the array of the same name
  rabbitmq_environment=(
    "HOME=$1" # for the cookie
    'LANG=C.UTF-8'
    "RABBITMQ_NODENAME=holdfast-$instance@localhost"
    "RABBITMQ_CONF_ENV_FILE=$1/environment.conf"
    "RABBITMQ_CONFIG_FILE=$1/rabbitmq.conf"
    "RABBITMQ_ADVANCED_CONFIG_FILE=$1/advanced.config"
    "RABBITMQ_ENABLED_PLUGINS_FILE=$1/enabled_plugins"
    "RABBITMQ_MNESIA_BASE=$1/data"
    "RABBITMQ_LOG_BASE=$1/log"
    "RABBITMQ_PID_FILE=$1/pid"
    "RABBITMQ_DIST_PORT=$distribution_port"
    'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1} -holdfast mark '"holdfast-$instance"
    "ERL_EPMD_PORT=$epmd_port"
    'ERL_EPMD_ADDRESS=127.0.0.1'
    "ERL_CRASH_DUMP=$1/erl_crash.dump"
  )
}

stop_rabbitmq() {
  stop_process "$home/rabbitmq/pid" "holdfast-$instance" 60
  stop_process "$home/epmd.pid" epmd 10
}
