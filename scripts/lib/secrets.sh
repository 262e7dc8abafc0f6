# shellcheck shell=bash
# The running system's secrets: random, made once per checkout, readable by their owner only, never printed.

random_hex() { head -c "$1" /dev/urandom | od -An -vtx1 | tr -d ' \n'; }

# make_secrets FILE: leaves a file alone that exists.
make_secrets() {
  [[ ! -s $1 ]] || return 0
  (
    umask 077
    {
      printf 'export ANTHROPIC_API_KEY=sk-ant-local-%s\n' "$(random_hex 24)"
      printf 'export ANTHROPIC_WEBHOOK_SIGNING_KEY=whsec_%s\n' "$(head -c 32 /dev/urandom | base64 --wrap=0)"
    } >"$1"
  )
}
