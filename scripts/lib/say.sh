# shellcheck shell=bash
# How our scripts speak: progress and complaints on stderr, so that stdout stays free for results.

say() { printf '%s\n' "$*" >&2; }

# The first argument says what is wrong, the following ones what to do about it.
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  (($# == 0)) || printf '       %s\n' "$@" >&2
  exit 1
}

# The comment at the head of a script is its help text.
help_text() { sed -n '2,${/^#/!q; s/^# \{0,1\}//p}' "$0"; }

unknown_argument() {
  say "unknown argument: $1"
  help_text >&2
  exit 64
}
