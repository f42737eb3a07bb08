#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each NNN-topic.sql in a transaction that is rolled back, by pgTAP.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib/pg.sh
trap pg_stop EXIT
pg_start
pg_sql 'create schema tap; create extension pgtap schema tap'
for file in tests/schema/[0-9]*.sql; do
  echo "# file $file"
  psql -qXAt -v ON_ERROR_STOP=1 -d "$PG_URL" -f tests/schema/begin.psql -f "$file" \
    -c 'select * from finish()' -c rollback 2>&1 || true
done | awk -f tests/lib/tap.awk
