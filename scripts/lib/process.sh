# shellcheck shell=bash
# Processes that outlive the script which starts them. A process is known by the id recorded when it was started and
# by a mark in its command line, because an id alone may have passed to a stranger since.

# wait_until SECONDS COMMAND...: polls until the command succeeds; fails when the time is over.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

port_in_use() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# require_free_port PORT ADVICE: the advice names the setting that chooses another port.
require_free_port() {
  ! port_in_use "$1" || fail "port $1 is in use" "$2"
}

# http_ok PORT PATH: whether a GET on loopback answers 200. Needs no curl, which a fresh machine may lack.
http_ok() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit
    printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$2" >&3
    read -r -t 5 _ status _ <&3 && [[ $status == 200 ]]
  ) 2>/dev/null
}

# recorded_process FILE MARK: prints the id in FILE if that process is still the one that was started.
recorded_process() {
  local pid
  pid=$(cat "$1" 2>/dev/null) && runs "$pid" "$2" && printf '%s\n' "$pid"
}

runs() { [[ $1 =~ ^[0-9]+$ ]] && grep -aqF -- "$2" "/proc/$1/cmdline" 2>/dev/null; }

ended() { ! runs "$@"; }

# stop_process FILE MARK SECONDS: asks the recorded process to end, insists when the time is over.
stop_process() {
  local pid
  # The id is kept here: RabbitMQ removes its file when it begins to stop.
  if pid=$(recorded_process "$1" "$2"); then
    kill -TERM "$pid" 2>/dev/null || true
    wait_until "$3" ended "$pid" "$2" || {
      say "process $pid did not stop within $3 s: killing it"
      kill -KILL "$pid" 2>/dev/null || true
      wait_until 5 ended "$pid" "$2" || true
    }
  fi
  rm -f "$1"
}
