# shellcheck shell=bash
# A named pair of private servers (`up` for the running system, `test` for the tests, `bench` for figures, `chaos` for
# faults): its ports, its folder, its password and the accounts its servers run under. Sourced with $root set to the
# checkout.

local_folder=$root/.local

# choose_instance NAME: sets the instance's ports and says which setting changes each.
choose_instance() {
  instance=$1
  local first
  case $instance in
    up) first=26720 postgres_setting=HOLDFAST_LOCAL_POSTGRES_PORT postgres_port=${HOLDFAST_LOCAL_POSTGRES_PORT:-24320} ;;
    test) first=26730 postgres_setting=HOLDFAST_TEST_POSTGRES_PORT postgres_port=${HOLDFAST_TEST_POSTGRES_PORT:-24330} ;;
    bench) first=26740 postgres_setting=HOLDFAST_BENCH_POSTGRES_PORT postgres_port=${HOLDFAST_BENCH_POSTGRES_PORT:-24340} ;;
    chaos) first=26750 postgres_setting=HOLDFAST_CHAOS_POSTGRES_PORT postgres_port=${HOLDFAST_CHAOS_POSTGRES_PORT:-24350} ;;
    *) fail "no instance is called '$instance'" 'there are four: up, test, bench and chaos' ;;
  esac
  rabbitmq_setting=${postgres_setting/POSTGRES/RABBITMQ}
  rabbitmq_port=${!rabbitmq_setting:-$first}
  # Management, Erlang's distribution and its port mapper follow the AMQP port unless they are chosen.
  management_setting=${postgres_setting/POSTGRES/MANAGEMENT}
  management_port=${!management_setting:-$((rabbitmq_port + 1))}
  distribution_setting=${postgres_setting/POSTGRES/DISTRIBUTION}
  distribution_port=${!distribution_setting:-$((rabbitmq_port + 2))}
  epmd_setting=${postgres_setting/POSTGRES/EPMD}
  epmd_port=${!epmd_setting:-$((rabbitmq_port + 3))}
  # Followed through the link that prepare_home may have made: the servers' accounts cannot follow it themselves.
  home=$(readlink -m "$local_folder/$instance")
}

# Neither server wants to be root, so root lends them the account that came with each package.
# server_account NAME: prints the account for `postgres` or `rabbitmq`.
server_account() {
  if [[ $EUID != 0 ]]; then
    id -un
  else
    id -u "$1" >/dev/null 2>&1 || fail "there is no account '$1', which the server's package should have made"
    printf '%s\n' "$1"
  fi
}

# become ACCOUNT: sets `as`, the command prefix that runs a program under it with an empty environment, so that
# nothing of the caller's (PGDATA, RABBITMQ_*) reaches a private server.
become() {
  # From `/`, because the account may be unable to enter the caller's folder.
  as=(env -i --chdir=/ "PATH=$PATH")
  [[ $EUID != 0 ]] || as=(setpriv --reuid "$1" --regid "$1" --init-groups -- "${as[@]}")
}

# Makes the instance's folder. The accounts may be unable to reach into the checkout (it lies below /root, say); the
# folder is then made below /var/tmp and .local/NAME is a link to it.
prepare_home() {
  mkdir -p "$local_folder" 2>/dev/null && [[ -w $local_folder ]] ||
    fail "$local_folder cannot be written" 'was it made by another user? run this as that user, or remove it'
  [[ ! -d $home ]] || return 0
  local account
  for account in postgres rabbitmq; do
    become "$(server_account "$account")"
    "${as[@]}" test -x "$local_folder" || home=/var/tmp/holdfast-$(printf '%s' "$root" | cksum | cut -d' ' -f1)-$instance
  done
  mkdir -p "$home"
  [[ -O $home && ! -L $home ]] ||
    fail "$home belongs to somebody else" 'remove it, or move the checkout to a folder that all users can enter'
  if [[ $home == /var/tmp/* ]]; then
    say "the servers' accounts cannot enter $local_folder: their files go to $home"
    ln -sfn "$home" "$local_folder/$instance"
  fi
  chmod 711 "$home" # the accounts pass through, nobody lists
}

# server_folder NAME ACCOUNT: makes the folder of one server and prints it.
server_folder() {
  local folder=$home/$1
  mkdir -p "$folder"
  chmod 700 "$folder"
  [[ $EUID != 0 ]] || chown "$2:$2" "$folder"
  printf '%s\n' "$folder"
}

remove_home() {
  rm -rf "$home" "${local_folder:?}/$instance"
}

# One random password for both servers, made once, never shown.
server_password() {
  [[ -s $home/password ]] || (umask 077 && head -c 16 /dev/urandom | od -An -vtx1 | tr -d ' \n' >"$home/password")
  cat "$home/password"
}
