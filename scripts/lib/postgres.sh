# shellcheck shell=bash
# A private Postgres: own data folder, loopback only, TCP only. Sourced after instance.sh.

postgres_running() { [[ -s $home/postgres/data/postmaster.pid ]] && postgres_control status; }

# postgres_control ARGUMENTS...: runs pg_ctl for this instance.
postgres_control() {
  become "$(server_account postgres)"
  "${as[@]}" "$(postgres_bin)/pg_ctl" --pgdata "$home/postgres/data" --silent "$@" >/dev/null 2>&1
}

start_postgres() {
  ! postgres_running || return 0
  require_free_port "$postgres_port" "choose another for Postgres with $postgres_setting=PORT"
  local account folder
  account=$(server_account postgres)
  folder=$(server_folder postgres "$account")
  [[ -s $folder/data/PG_VERSION ]] || create_postgres "$account" "$folder"
  write_postgres_settings >"$folder/data/postgresql.auto.conf"
  postgres_control --log "$folder/log" --wait --timeout 60 start || {
    tail -n 10 "$folder/log" >&2
    fail 'Postgres did not start' "its log is $folder/log"
  }
}

create_postgres() { # ACCOUNT FOLDER
  local password=$2/password sync=()
  [[ $instance != test ]] || sync=(--no-sync)
  (umask 077 && server_password >"$password")
  [[ $EUID != 0 ]] || chown "$1" "$password"
  rm -rf "$2"/{data,new}
  become "$1"
  {
    "${as[@]}" "$(postgres_bin)/initdb" --pgdata "$2/new" --username holdfast --pwfile "$password" \
      --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8 "${sync[@]}" &&
      "${as[@]}" "$(postgres_bin)/postgres" --single -D "$2/new" postgres <<<'CREATE DATABASE holdfast'
  } >"$2/initdb.log" 2>&1 || {
    tail -n 10 "$2/initdb.log" >&2
    fail 'Postgres could not be initialised' "the whole output is in $2/initdb.log"
  }
  rm -f "$password"
  mv "$2/new" "$2/data" # only complete, so that an interrupted start begins anew
}

write_postgres_settings() {
  cat <<SETTINGS
listen_addresses = '127.0.0.1'
port = $postgres_port
unix_socket_directories = ''
max_connections = 400
shared_buffers = '256MB'
# Each page that is first touched after a checkpoint is written whole: with random keys, rare checkpoints are cheap ones.
max_wal_size = '4GB'
checkpoint_timeout = '15min'
log_min_duration_statement = '1s'
SETTINGS
  # The tests' data is thrown away with the server, so it need not survive a power cut.
  if [[ $instance == test ]]; then
    printf 'fsync = %s\nfull_page_writes = %s\n' "${HOLDFAST_TEST_FSYNC:-off}" "${HOLDFAST_TEST_FSYNC:-off}"
  fi
}

stop_postgres() {
  ! postgres_running || postgres_control --mode fast --wait --timeout 60 stop || fail 'Postgres did not stop' "its log is $home/postgres/log"
}
