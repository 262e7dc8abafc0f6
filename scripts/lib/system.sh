# shellcheck shell=bash
# The programs of the running system: where they listen, starting and stopping them. Sourced with $root set to the
# checkout. Each leaves its log in .local/log and its process id in .local/run.

programs=(simulator ingest worker) # in the order in which they start
local_folder=$root/.local

# Two programs know HOLDFAST_INTERNAL_LISTEN, so here each has a setting of its own.
choose_addresses() {
  ingest_listen=${HOLDFAST_LISTEN:-127.0.0.1:8080}
  ingest_internal_listen=${HOLDFAST_INGEST_INTERNAL_LISTEN:-127.0.0.1:9080}
  worker_internal_listen=${HOLDFAST_WORKER_INTERNAL_LISTEN:-127.0.0.1:9081}
  simulator_listen=${HOLDFAST_SIMULATOR_LISTEN:-127.0.0.1:8090}
  webhook_url=http://127.0.0.1:${ingest_listen##*:}/webhooks/default
  simulator_url=http://127.0.0.1:${simulator_listen##*:}
}

require_free_addresses() {
  require_free_port "${ingest_listen##*:}" 'choose another for webhooks with HOLDFAST_LISTEN=127.0.0.1:PORT'
  require_free_port "${ingest_internal_listen##*:}" "choose another for ingest's health with HOLDFAST_INGEST_INTERNAL_LISTEN=127.0.0.1:PORT"
  require_free_port "${worker_internal_listen##*:}" "choose another for the worker's health with HOLDFAST_WORKER_INTERNAL_LISTEN=127.0.0.1:PORT"
  require_free_port "${simulator_listen##*:}" 'choose another for the simulator with HOLDFAST_SIMULATOR_LISTEN=127.0.0.1:PORT'
}

# Everything our programs need to know, for themselves and for scripts/run. Needs DATABASE_URL and AMQP_URL.
write_environment() {
  make_secrets "$local_folder/secrets"
  (
    umask 077
    {
      printf 'export %s=%q\n' DATABASE_URL "$DATABASE_URL" AMQP_URL "$AMQP_URL"
      cat "$local_folder/secrets"
      # The simulator takes this one key only, so a worker that sends another is noticed.
      # shellcheck disable=SC2016 # expanded when the file is read
      printf 'export HOLDFAST_SIMULATOR_API_KEY=$ANTHROPIC_API_KEY\n'
      printf 'export %s=%q\n' \
        ANTHROPIC_BASE_URL "$simulator_url" \
        HOLDFAST_LISTEN "$ingest_listen" \
        HOLDFAST_SIMULATOR_LISTEN "$simulator_listen" \
        HOLDFAST_SIMULATOR_URL "$simulator_url" \
        HOLDFAST_SIMULATOR_WEBHOOK_URL "$webhook_url" \
        HOLDFAST_RETRY_DELAYS "${HOLDFAST_RETRY_DELAYS:-1s,2s}" \
        HOLDFAST_API_READS_PER_MINUTE "${HOLDFAST_API_READS_PER_MINUTE:-0}" \
        HOLDFAST_API_WRITES_PER_MINUTE "${HOLDFAST_API_WRITES_PER_MINUTE:-0}" \
        HOLDFAST_QUEUE_PREFIX "${HOLDFAST_QUEUE_PREFIX:-holdfast}"
    } >"$local_folder/env"
  )
  # shellcheck source=/dev/null
  source "$local_folder/env"
}

start_programs() {
  start_program simulator "$simulator_listen" /livez serve
  start_program ingest "$ingest_internal_listen" /readyz --internal-listen "$ingest_internal_listen"
  start_program worker "$worker_internal_listen" /readyz run --internal-listen "$worker_internal_listen"
}

# start_program NAME HEALTH-ADDRESS HEALTH-PATH ARGUMENTS...: returns when it is healthy.
start_program() {
  local name=$1 log=$local_folder/log/$1.log port=${2##*:} path=$3
  shift 3
  mkdir -p "$local_folder/log" "$local_folder/run"
  # A session of its own, so that Ctrl-C reaches scripts/up only, which then stops all in order.
  setsid "$(program_path "$name")" "$@" </dev/null >>"$log" 2>&1 9>&- &
  local pid=$!
  printf '%s\n' "$pid" >"$local_folder/run/$name.pid"
  wait_until 30 healthy_or_ended "$pid" "$port" "$path" && http_ok "$port" "$path" || {
    tail -n 15 "$log" >&2
    fail "$name did not become healthy" "its log is $log"
  }
}

program_path() { printf '%s/target/%s/%s\n' "$root" "$(cat "$root/.local/build" 2>/dev/null || echo debug)" "$1"; }

program_running() { recorded_process "$local_folder/run/$1.pid" "$(program_path "$1")" >/dev/null; }

healthy_or_ended() { http_ok "$2" "$3" || ! kill -0 "$1" 2>/dev/null; }

# The simulator last: while it answers, the worker can finish what it has begun.
stop_programs() {
  local name
  for name in ingest worker simulator; do
    stop_process "$local_folder/run/$name.pid" "$(program_path "$name")" 40
  done
}

any_program_running() { program_running simulator || program_running ingest || program_running worker; }

all_programs_running() { program_running simulator && program_running ingest && program_running worker; }

show_programs() {
  local name
  for name in "${programs[@]}"; do
    if program_running "$name"; then say "$name runs"; else say "$name does not run"; fi
  done
}
