#!/usr/bin/env bash
# The contract of the official Postgres image's entrypoint, for the stand-in: settings by POSTGRES_*, a first start
# that initialises PGDATA behind a temporary server on the socket only, scripts of /docker-entrypoint-initdb.d.
set -euo pipefail

# setting <NAME> [default]: the variable's value, or what the file named by <NAME>_FILE holds.
setting() {
  local file=$1_FILE
  if [[ -n ${!file:-} ]]; then
    [[ -z ${!1:-} ]] || { echo "error: both $1 and $file are set" >&2 && exit 1; }
    printf -v "$1" %s "$(<"${!file}")"
  else
    printf -v "$1" %s "${!1:-${2:-}}"
  fi
  export "${1?}"
  unset "$file"
}

settings() {
  setting POSTGRES_PASSWORD
  setting POSTGRES_USER postgres
  setting POSTGRES_DB "$POSTGRES_USER"
  setting POSTGRES_INITDB_ARGS
  : "${POSTGRES_HOST_AUTH_METHOD:=}"
}

as_root() {
  mkdir -p "$PGDATA" /var/run/postgresql
  chmod 00700 "$PGDATA"
  chmod 03775 /var/run/postgresql
  if [[ -n ${POSTGRES_INITDB_WALDIR:-} ]]; then
    mkdir -p "$POSTGRES_INITDB_WALDIR"
    find "$POSTGRES_INITDB_WALDIR" ! -user postgres -exec chown postgres {} +
    chmod 700 "$POSTGRES_INITDB_WALDIR"
  fi
  find "$PGDATA" /var/run/postgresql ! -user postgres -exec chown postgres {} +
  exec gosu postgres "${BASH_SOURCE[0]}" "$@"
}

verify() {
  if [[ -z $POSTGRES_PASSWORD && $POSTGRES_HOST_AUTH_METHOD != trust ]]; then
    echo 'Error: Database is uninitialized and superuser password is not specified.' >&2
    echo '       Set POSTGRES_PASSWORD, or POSTGRES_HOST_AUTH_METHOD=trust.' >&2
    exit 1
  fi
}

# initialise <server argument>…: initdb, and who may connect over the network.
initialise() {
  local wal=()
  # shellcheck disable=SC2034 # used in the text below
  [[ -z ${POSTGRES_INITDB_WALDIR:-} ]] || wal=(--waldir "$POSTGRES_INITDB_WALDIR")
  # POSTGRES_INITDB_ARGS is shell text in the official image, too: "--data-checksums --locale='C'".
  eval 'initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") "${wal[@]}" '"$POSTGRES_INITDB_ARGS"
  local method=${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption "${@:2}")}
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

# sql [argument]…: psql as the scripts of initdb.d use it.
sql() {
  PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password --no-psqlrc "$@"
}

# docker_process_sql is the official image's name for it, which sourced scripts call.
docker_process_sql() { sql --dbname "$POSTGRES_DB" "$@"; }

run_scripts() {
  local file
  for file in /docker-entrypoint-initdb.d/*; do
    echo "$0: $file"
    # shellcheck disable=SC1090
    case $file in
      *.sh) if [[ -x $file ]]; then "$file"; else source "$file"; fi ;;
      *.sql) docker_process_sql -f "$file" ;;
      *.sql.gz) gunzip -c "$file" | docker_process_sql ;;
      *.sql.xz) xzcat "$file" | docker_process_sql ;;
      *.sql.zst) zstd -dc "$file" | docker_process_sql ;;
      *) echo "$0: ignoring $file" ;;
    esac
  done
}

# first_start <server argument>…: everything that happens once in a data folder's life.
first_start() {
  local temporary
  verify
  initialise "$@"
  export PGPASSWORD=$POSTGRES_PASSWORD
  printf -v temporary '%q ' "${@:2}" -c "listen_addresses=" -p "${PGPORT:-5432}"
  NOTIFY_SOCKET='' pg_ctl -D "$PGDATA" -o "$temporary" -w start
  if [[ $POSTGRES_DB != postgres ]]; then
    sql --dbname postgres -v db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
  fi
  run_scripts
  pg_ctl -D "$PGDATA" -m fast -w stop
  unset PGPASSWORD
  printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

# asks_only: whether the arguments ask the server for its version, its help or a setting.
asks_only() {
  local argument
  for argument in "$@"; do
    case $argument in -'?' | --help | --describe-config | -V | --version | -C*) return 0 ;; esac
  done
  return 1
}

shopt -s nullglob
# By its other name it makes the data folder ready, where there is none yet, and starts no server.
if [[ ${0##*/} == docker-ensure-initdb.sh ]]; then
  [[ ${1:-} == postgres ]] || set -- postgres "$@"
  [[ $(id -u) != 0 ]] || as_root "$@"
  settings
  [[ -s $PGDATA/PG_VERSION ]] || first_start "$@"
  exit
fi
[[ ${1:-} != -* ]] || set -- postgres "$@"
if [[ ${1:-} == postgres ]] && ! asks_only "${@:2}"; then
  [[ $(id -u) != 0 ]] || as_root "$@"
  mkdir -p "$PGDATA"
  settings
  if [[ -s $PGDATA/PG_VERSION ]]; then
    printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
  else
    first_start "$@"
  fi
fi
exec "$@"
