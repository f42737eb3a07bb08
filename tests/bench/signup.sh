#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sign-ups through the real portal and a PostgreSQL that syncs its commits, beside what the password
# hash alone costs.  No job daemon runs: the start of the VEs is not counted.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/pg.sh
. tests/lib/portal.sh
trap portal_cleanup EXIT

echo 'rate native vestibule 1/s want'
echo 'rate native argon2id 1/s want'
portal_setup && portal_start 1 || exit 1
portal_node 1000000
pg_sql "alter system set fsync = on; " && pg_sql "select pg_reload_conf();
  update ve.rate_rule set most = 1000000 where kind = 'signup';
  update ve.node set seen_at = now() + interval '1 day'" >/dev/null
"$BIN/bench_signup" "$URL1/signup" "$PG_DIR/pki/ca.crt" "${CLIENTS:-16}" "${ROUNDS:-12}" "${SECONDS_EACH:-4}"
rc=$?
echo "$(pg_sql 'select count(*) from ve.subscriber') subscribers, each with a VE: $(pg_sql 'select count(*) from ve.ve')" >&2
exit $rc
