#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The schema that the migrations make is the one that was reviewed; and the
# runner keeps its promises.  With --write, writes golden.sql instead.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib/pg.sh
trap 'pg_stop; [ -z "${tmp:-}" ] || rm -rf "$tmp"' EXIT
pg_bare
pg_migrate

dump() {
  "$PG_BIN/pg_dump" -d "$PG_URL" --schema-only --no-comments -n ve -n ve_meta |
    sed -e '/^--/d' -e '/^SET /d' -e '/^SELECT pg_catalog.set_config/d' \
      -e '/^\\\(un\)\?restrict /d' | cat -s
}

if [ "${1:-}" = --write ]; then
  dump >schema/golden.sql
  exit
fi

n=0
ok() {
  n=$((n + 1))
  if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}
try() {
  name=$1
  shift
  if "$@" >"$PG_DIR/out" 2>&1; then ok 0 "$name"; else
    sed 's/^/# /' "$PG_DIR/out" | head -40
    ok 1 "$name"
  fi
}
refused() {
  ! schema/migrate.sh "$PG_URL" "$tmp" >"$PG_DIR/refused" 2>&1 &&
    grep -q "$1" "$PG_DIR/refused"
}

dump >"$PG_DIR/now.sql"
try 'the schema is the golden one' diff -u schema/golden.sql "$PG_DIR/now.sql"
try 'running again changes nothing' pg_migrate
dump >"$PG_DIR/again.sql"
try 'and leaves the same schema' diff -u "$PG_DIR/now.sql" "$PG_DIR/again.sql"

tmp=$(mktemp -d)
cp -r schema/. "$tmp"
echo '-- a change' >>"$tmp/migrations/0001-places.sql"
try 'a changed migration is refused' refused 'was changed after it was applied'
cp schema/migrations/0001-places.sql "$tmp/migrations/"
try 'the unchanged one is not' schema/migrate.sh "$PG_URL" "$tmp"
cp schema/migrations/0001-places.sql "$tmp/migrations/0001-twice.sql"
try 'a number used twice is refused' refused 'two migrations have the number 0001'
rm "$tmp/migrations/0001-twice.sql"
printf 'create table ve.half (a int);\nselect 1/0;\n' >"$tmp/migrations/9999-broken.sql"
try 'a broken migration is refused' refused 'division by zero'
try 'and leaves nothing behind' \
  test "$(pg_sql "select to_regclass('ve.half') is null")" = t
echo "1..$n"
