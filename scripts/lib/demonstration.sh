# shellcheck shell=bash
# Shows what the system does with its own programs: a storm of webhooks, one event that fails until it is a dead letter
# and is replayed, and a session that asks and is answered. Sets the figures that the summary of scripts/up prints.
# Sourced after system.sh.

demonstrate() {
  storm
  dead_letter
  review
}

# 200 events of 20 sessions, some sent twice, in any order.
storm() {
  local answer applied_before
  applied_before=$(count_events applied)
  answer=$(mktemp)
  run_program simulator send --count 200 --sessions 20 --duplicates 40 --shuffle --json >"$answer" &
  local sender=$!
  wait_until 60 more_events_than applied "$applied_before" || fail 'no event was applied within 60 s' "see $local_folder/log"
  first_applied_seconds=$SECONDS
  wait "$sender" || fail 'the simulator met unexpected answers' "see $local_folder/log"
  sent=$(json_value sent <"$answer")
  acknowledged=$(json_value acknowledged <"$answer")
  skipped=$(json_value skipped <"$answer")
  rm -f "$answer"
  wait_until 60 no_events pending || fail 'not all events were finished within 60 s' 'see: scripts/run worker events list --status pending'
  applied=$(($(count_events applied) - applied_before))
  superseded=$(count_events superseded)
}

# One event of a session whose fetch always fails: three tries, dead letter; then the fault goes and it is replayed.
dead_letter() {
  run_program simulator send --count 1 --sessions 1 --fail-session --json >/dev/null || true
  wait_until 60 one_dead_letter || fail 'the failing event did not become a dead letter within 60 s' "see $local_folder/log/worker.log"
  dead_event=$(run_program worker dlq list --json | json_value event_id)
  tries=$(run_program worker dlq list --json | json_value tries)
  run_program simulator fault clear >/dev/null
  run_program worker dlq replay "$dead_event" --yes >/dev/null
  wait_until 60 no_dead_letter || fail 'the replayed event was not applied within 60 s' "see: scripts/run worker dlq show $dead_event"
}

# One session that uses tools and waits for their answers; each is given on the command line.
review() {
  run_program simulator live --sessions 1 --resources 0 --turns 1 --asks 1 --pace-ms 50 --json >/dev/null &
  local session=$! deadline=$((SECONDS + 60))
  answered=0
  while kill -0 "$session" 2>/dev/null; do
    ((SECONDS < deadline)) || fail 'the waiting session was not answered within 60 s' "see $local_folder/log/worker.log"
    answer_one || sleep 0.2
  done
  wait "$session" || fail 'the simulated session did not come to its end' "see $local_folder/log/simulator.log"
}

answer_one() {
  local open id
  open=$(run_program worker reviews list --status open --limit 1 --json)
  id=$(json_value id <<<"$open")
  [[ -n $id ]] || return
  case $(json_value kind <<<"$open") in
    custom_tool_use) run_program worker reviews answer "$id" --text 'done, by hand' --as demonstration >/dev/null ;;
    *) run_program worker reviews approve "$id" --as demonstration >/dev/null ;;
  esac && answered=$((answered + 1))
}

run_program() { "$(program_path "$1")" "${@:2}" 2>>"$local_folder/log/commands.log"; }

count_events() { run_program worker events list --status "$1" --json | awk '{ n += gsub(/"event_id"/, "") } END { print n + 0 }'; }

more_events_than() { (($(count_events "$1") > $2)); }

no_events() { (($(count_events "$1") == 0)); }

one_dead_letter() { (($(count_events dead) > 0)); }

no_dead_letter() { no_events dead && no_events pending; }

# json_value NAME: the first member of that name. The programs' JSON is flat where we look, and a fresh machine has no jq.
json_value() {
  awk -v name="\"$1\":" '
    !found && (at = index($0, name)) {
      value = substr($0, at + length(name))
      sub(/^ *"?/, "", value)
      sub(/[",}\]].*/, "", value)
      found = 1
    }
    END { print value }'
}
