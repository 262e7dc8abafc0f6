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
  local status=''
  {
    exec 3<>"/dev/tcp/127.0.0.1/$1" &&
      printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$2" >&3 &&
      read -r -t 5 _ status _ <&3
  } 2>/dev/null || true
  exec 3>&- || true
  [[ $status == 200 ]]
}

# recorded_process FILE MARK: prints the id in FILE if that process is still the one that was started.
recorded_process() {
  local pid
  pid=$(tr 2>/dev/null -dc '0-9' <"$1") && [[ -n $pid ]] || return 1
  grep -aqF -- "$2" "/proc/$pid/cmdline" 2>/dev/null || return 1
  printf '%s\n' "$pid"
}

gone() { ! recorded_process "$1" "$2" >/dev/null; }

# stop_process FILE MARK SECONDS: asks the recorded process to end, insists when the time is over.
stop_process() {
  local pid
  if pid=$(recorded_process "$1" "$2"); then
    kill -TERM "$pid" 2>/dev/null || true
    wait_until "$3" gone "$1" "$2" || {
      say "process $pid did not stop within $3 s: killing it"
      kill -KILL "$pid" 2>/dev/null || true
      wait_until 5 gone "$1" "$2" || true
    }
  fi
  rm -f "$1"
}
