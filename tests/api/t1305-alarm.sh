#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A lease that another has already is an alarm: in the audit log, in the daemon's log, for monitoring and
# on the operator's page.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/stack.sh
alarms() { http GET /api/v1/capacity; printf %s "$BODY" | jq .alarms; }
one_alarm() { [ "$(alarms)" = 1 ]; }
lent() { [ "$(pg_sql 'select count(*) from ve.block')" -gt 0 ]; }
logged() { grep -qE 'node n1: block [0-9]+: 1 leases .* \(lease.alarm\)' "$PG_DIR/jobd1.log"; }
asked_again() { [ "$(pg_sql 'select count(*) from ve.lease where upper_inf(during)')" = 1 ]; }

password=$("$BIN/ve-portald" -o op@example.net -d "$PG_URL")
JAR=$PG_DIR/jar-op
login op@example.net "$password"
http GET /admin
unlike 'where all is well the page says nothing' "$BODY" 'lease alarms'
is 'nor do the numbers' "$(alarms)" 0

# whatever address the next VE gets, the books have it for another one
ok 'the node has a block' await 60 lent
pg_sql "insert into ve.lease (address, veid, node_id, block_id, epoch, during)
  select set_masklen(network(b.range)::inet, 32) + i, 999, b.node_id, b.id, 1000000 + i,
      tstzrange(now() - interval '1 hour', now() + interval '1 hour')
    from ve.block b, generate_series(0, (2 ^ (32 - masklen(b.range)))::integer - 1) i" >/dev/null
JAR=$PG_DIR/jar-ann
signup ann@example.net
ok 'it runs' await 60 ve_is 1000 running
ok 'its lease is an alarm that is counted' await 60 one_alarm
is 'one line of the audit log' "$(pg_sql "select veid || ' ' || (detail ->> 'node') from ve.audit where action = 'lease.alarm'")" '1000 n1'
ok 'and one of the daemon' await 60 logged
JAR=$PG_DIR/jar-op
http GET /admin
like 'the operator sees it at the node' "$BODY" 'lease alarms in a day: 1'
api GET /admin/nodes
is 'in JSON too' "$(printf %s "$BODY" | jq '.[0].alarms')" 1
# the same once more, now that nobody else has it
pg_sql "delete from ve.lease where veid = 999" >/dev/null
ok 'the lease is written down when the other has gone' await 60 asked_again
is 'and is no second alarm' "$(alarms)" 1
tap_end
