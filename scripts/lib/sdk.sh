# shellcheck shell=bash
# The checks that the official Python SDK makes of the simulator. Sourced after say.sh and packages.sh.

# check_with_sdk PROGRAM REQUIREMENTS: what scripts/sdk/check_*.py ask of the simulator PROGRAM, with the SDK named in the
# file REQUIREMENTS, and whether docs/EVENTS.md lists all event types that this SDK knows.
check_with_sdk() {
  local program=$1 requirements=$2 python
  python=$(sdk_python "$requirements") || return
  say "with $(grep -v '^#' "$requirements")"
  PYTHONDONTWRITEBYTECODE=1 "$python" "$root/scripts/sdk/event_types.py" "$root" || return
  (cd "$root/scripts/sdk" && PYTHONDONTWRITEBYTECODE=1 HOLDFAST_SIMULATOR_PROGRAM=$program \
    "$python" -m unittest discover --pattern 'check_*.py')
}

# The Python of an environment below .local/ that holds just these requirements; made once, and anew when they change.
sdk_python() {
  local requirements=$1 folder log
  folder=$root/.local/sdk/$(basename "$requirements" .txt)
  if ! cmp -s "$requirements" "$folder/installed.txt"; then
    require_python
    rm -rf "$folder"
    mkdir -p "$folder"
    log=$folder/install.log
    python3 -m venv "$folder" >"$log" 2>&1 &&
      "$folder/bin/python" -m pip install --disable-pip-version-check --requirement "$requirements" >>"$log" 2>&1 || {
      tail -n 20 "$log" >&2
      fail "the Python SDK could not be installed" "the whole output is in $log"
    }
    cp "$requirements" "$folder/installed.txt"
  fi
  printf '%s\n' "$folder/bin/python"
}

require_python() {
  # Debian has pip and the means to make environments in packages of their own.
  python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || install_packages python3 python3-venv python3-pip
}
