#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Addresses lent and taken back, a second: by the agent, to many VEs whose kernel is played so that
# nothing but the lending is measured, beside one client that does the same in PostgreSQL with SKIP
# LOCKED.  Both wait for the same disk before they say that it is done.
cd "$(dirname "$0")/../.." || exit 1
echo 'lease native vestibule 1/s want'
echo 'lease native skip_locked 1/s want'
export BUILD=${BUILD:-build/rel} TMPDIR=$PWD/build/bench
mkdir -p "$TMPDIR"
. tests/lib/pg.sh
PG_BIN=${PG_BIN:-$(pg_config --bindir)}
pg_bare || exit 1
echo 'fsync = on' >>"$PG_DIR/data/postgresql.conf"
pg_face "$PG_BIN/pg_ctl" -D "$PG_DIR/data" -w restart >/dev/null || exit 1
pg_sql "create table lease (address inet primary key, holder int, free_at timestamptz not null default now());
  insert into lease (address) select inet '10.9.0.0' + i from generate_series(0, 1023) i;
  create index lease_free on lease (free_at) where holder is null" || exit 1
cat >"$PG_DIR/loop.sql" <<'SQL'
update lease set holder = 1 where address = (select address from lease where holder is null and free_at <= now()
  order by free_at limit 1 for update skip locked) returning address \gset
update lease set holder = null, free_at = now() + interval '100 milliseconds' where address = :address;
SQL
# one client, two transactions a turn
cat >"$PG_DIR/round" <<END
$PG_BIN/pgbench -n -M prepared -c 1 -T ${SECONDS_EACH:-4} -f "$PG_DIR/loop.sql" -h "$PG_DIR" -U postgres ve 2>/dev/null |
	awk '/^tps/ { print "lease native skip_locked 1/s", \$3 * 2; n++ } END { exit !n }'
END
state=$(mktemp -d "$TMPDIR/ve-lease.XXXXXX")
mkdir -p "$state/api" "$state/run"
if [ "$(id -u)" = 0 ]; then chown nobody "$state/api"; fi
chmod 755 "$state"
printf '%s\n' 'node n1' "state_dir $state" "run_dir $state/run" 'user_api nobody' 'user_term nobody' \
	'quarantine_ms 100' 'max_ves 2000' >"$state/conf"
"$BUILD/bin/bench_lease" "$BUILD/bin/ve-agentd" "$state/conf" "$state/run/ctl" "${VES:-256}" "${ROUNDS:-8}" "${SECONDS_EACH:-4}" \
	"sh $PG_DIR/round" 2>"$state/log"
rc=$?
tail -n 1 "$state/log" >&2
rm -rf "$state"
pg_stop
exit $rc
