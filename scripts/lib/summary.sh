# shellcheck shell=bash
# What scripts/up says in the end: what runs, what the demonstration did, what to try next.

print_summary() {
  say
  say "Holdfast is running after $SECONDS s."
  say
  row 'webhooks' "$webhook_url"
  row 'health, metrics' "http://127.0.0.1:${ingest_internal_listen##*:}/metrics and http://127.0.0.1:${worker_internal_listen##*:}/metrics"
  row 'simulated Claude API' "$simulator_url"
  row 'Postgres, RabbitMQ' 'private, their addresses are in .local/env'
  row 'logs' '.local/log'
  [[ -z ${sent:-} ]] || print_demonstration
  print_commands
}

print_demonstration() {
  say
  row 'webhooks sent' "$sent, acknowledged $acknowledged"
  row 'events applied' "$applied, the first $first_applied_seconds s after the start of this script"
  row 'overtaken by newer' "$superseded"
  row 'duplicates skipped' "$skipped"
  row 'dead letter' "$dead_event: failed $tries times, replayed, applied"
  row 'answers given' "$answered, to a session that waited for them and went on"
}

row() { printf '  %-22s %s\n' "$1" "$2" >&2; }

print_commands() {
  say
  say 'Try next:'
  say '  scripts/run worker events list'
  say '  scripts/run worker resources list'
  say '  scripts/run simulator send --count 1000 --sessions 50 --duplicates 100 --shuffle'
  say '  scripts/run worker dlq list'
  say '  scripts/run simulator live --sessions 5     and meanwhile: scripts/run worker reviews list'
  say '  scripts/down'
  say
}
