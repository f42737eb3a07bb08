# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#  A private PostgreSQL cluster for one test: files below a directory of its
#  own, reachable by a Unix socket only, gone when the test ends.
#
#     . tests/lib/pg.sh
#     pg_start            # sets PG_DIR, PG_URL (superuser), PG_CONNINFO
#     pg_bare, pg_migrate # the same in two steps, nothing prepared
#     ...
#     pg_stop             # also run by pg_cleanup from a trap
#
#  PostgreSQL refuses to run as root.  As root the server runs below
#  "unshare --map-user": the same files, another face.

trap 'exit 1' INT TERM HUP # so that the trap on EXIT runs
PG_BIN=${PG_BIN:-$(pg_config --bindir)}

pg_face() {
  if [ "$(id -u)" = 0 ]; then
    unshare --user --map-user=1000 --map-group=1000 "$@"
  else
    "$@"
  fi
}

# A cluster with the schema in it, made once for each state of schema/ and then
# copied: making one anew takes longer than most tests.
pg_template() {
  pg_key=$(cat schema/roles.sql schema/privileges.sql schema/*/*.sql | sha256sum | cut -c1-16)
  PG_TEMPLATE=build/pg-template/$pg_key
  [ ! -d "$PG_TEMPLATE" ] || return 0
  mkdir -p build/pg-template
  (
    flock 9
    [ ! -d "$PG_TEMPLATE" ] || exit 0
    pg_bare || exit 1
    schema/migrate.sh "$PG_URL" >"$PG_DIR/migrate.log" 2>&1 ||
      { cat "$PG_DIR/migrate.log" >&2; exit 1; }
    pg_face "$PG_BIN/pg_ctl" -D "$PG_DIR/data" -m fast stop >/dev/null
    sed -i '/^unix_socket_directories/d' "$PG_DIR/data/postgresql.conf"
    mv "$PG_DIR/data" "$PG_TEMPLATE"
    rm -rf "$PG_DIR"
  ) 9>build/pg-template/lock
}

# A cluster and its database, empty.
pg_bare() {
  PG_DIR=$(mktemp -d "${TMPDIR:-/tmp}/ve-pg.XXXXXX")
  pg_face "$PG_BIN/initdb" -D "$PG_DIR/data" -U postgres -A trust \
    --no-sync --no-locale -E UTF8 >"$PG_DIR/initdb.log" 2>&1 ||
    { cat "$PG_DIR/initdb.log" >&2; return 1; }
  cat >>"$PG_DIR/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$PG_DIR'
fsync = off
max_connections = 150
log_min_messages = warning
CONF
  pg_up
  PG_CONNINFO="host=$PG_DIR dbname=ve"
  PG_URL="$PG_CONNINFO user=postgres"
  psql -qX -h "$PG_DIR" -U postgres -d postgres -c 'create database ve'
}

# A cluster with the schema.
pg_start() {
  pg_template || return 1
  PG_DIR=$(mktemp -d "${TMPDIR:-/tmp}/ve-pg.XXXXXX")
  cp -a --reflink=auto "$PG_TEMPLATE" "$PG_DIR/data"
  echo "unix_socket_directories = '$PG_DIR'" >>"$PG_DIR/data/postgresql.conf"
  pg_up
  PG_CONNINFO="host=$PG_DIR dbname=ve"
  PG_URL="$PG_CONNINFO user=postgres"
}

# Starts the server of $PG_DIR and waits until it answers.
pg_up() {
  pg_face "$PG_BIN/pg_ctl" -D "$PG_DIR/data" -l "$PG_DIR/server.log" -w -t 60 \
    start >/dev/null || { cat "$PG_DIR/server.log" >&2; return 1; }
}

# Ends the server at once, as if the machine had lost power.
pg_kill() {
  kill -9 "$(head -1 "$PG_DIR/data/postmaster.pid")"
  while psql -qX "$PG_URL" -c 'select 1' >/dev/null 2>&1; do :; done
  # a zombie that nobody collects looks alive to the next one
  rm -f "$PG_DIR/data/postmaster.pid" "$PG_DIR"/.s.PGSQL.*
}

pg_stop() {
  [ -n "${PG_DIR:-}" ] || return 0
  pg_face "$PG_BIN/pg_ctl" -D "$PG_DIR/data" -m immediate stop >/dev/null 2>&1
  rm -rf "$PG_DIR"
  PG_DIR=
}

# The whole schema in the new cluster.
pg_migrate() {
  schema/migrate.sh "$PG_URL" >"$PG_DIR/migrate.log" 2>&1 ||
    { cat "$PG_DIR/migrate.log" >&2; return 1; }
}

# One statement as the superuser; prints bare values.
pg_sql() {
  psql -qXAt -v ON_ERROR_STOP=1 -d "$PG_URL" -c "$1"
}
