# shellcheck shell=bash
# Builds the programs with one line of progress instead of four hundred. Sourced after say.sh.

# build_programs LOG PACKAGE...: into $root/target, whatever CARGO_TARGET_DIR says, because scripts/run looks there.
# The default is the development profile: it is built in a third of the time of `release`, and scripts/test uses the same
# build. HOLDFAST_BUILD_PROFILE=release gives the programs that one would deploy.
build_programs() {
  local log=$1 began=$SECONDS shown=$SECONDS cargo count
  shift
  local profile=${HOLDFAST_BUILD_PROFILE:-dev}
  # Where cargo puts it; scripts/run and scripts/down read it.
  case $profile in dev) echo debug ;; *) echo "$profile" ;; esac >"$local_folder/build"
  (cd "$root" && exec cargo build --profile "$profile" --locked --target-dir target "${@/#/--package=}") >"$log" 2>&1 9>&- &
  cargo=$!
  while kill -0 "$cargo" 2>/dev/null; do
    sleep 0.5
    ((SECONDS - shown >= 15)) || continue
    shown=$SECONDS
    count=$(grep -c '^ *Compiling' "$log" || true)
    say "  $count crates so far, $((SECONDS - began)) s"
  done
  wait "$cargo" || {
    tail -n 30 "$log" >&2
    fail 'the programs could not be built' "cargo's whole output is in $log"
  }
}
