#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From sign-up to deletion through the job daemon and a real agent: what is asked
# for on the page becomes so on the node.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/stack.sh

act() { api POST /ves/1000/actions "{\"action\":\"$1\"}"; }
agent() {
  curl -s --max-time 10 --cacert "$PG_DIR/pki/ca.crt" --cert "$PG_DIR/pki/control.crt" \
    --key "$PG_DIR/pki/control.key" -k "https://127.0.0.1:$NODE_PORT$1"
}
idle() { [ "$(pg_sql "select count(*) from ve.job where state in ('queued', 'running')")" = 0 ]; }

signup ann@example.net
is 'a sign-up' "$STATUS" 303
ok 'becomes a running VE on the node' await 60 ve_is 1000 running
ok 'and the job is over' await 60 idle
like 'which the agent calls by the same number' "$(agent /v1/ves/1000)" '"veid": ?1000'
leased() { [ "$(pg_sql "select count(*) from ve.lease where upper_inf(during)")" = 1 ]; }
ok 'with an address that the database has on record' await 60 leased
# an owner that no node has told of: the last lock refuses the true one, and that is said aloud
pg_sql "update ve.lease set epoch = epoch + 1000000" >/dev/null
ok 'an address with two owners is an error in the log' await 60 grep -q 'lease.alarm' "$PG_DIR/jobd1.log"
like 'and in the audit' "$(pg_sql "select count(*) from ve.audit where action = 'lease.alarm'")" '^[1-9]'
pg_sql "delete from ve.lease where epoch > 1000000" >/dev/null
ok 'and is over when there is one again' await 60 leased
act stop
is 'stop is taken' "$STATUS" 202
ok 'and done' await 60 ve_is 1000 stopped
await 60 idle
act start
is 'start is taken' "$STATUS" 202
ok 'and done' await 60 ve_is 1000 running
await 60 idle
act restart
is 'restart is taken' "$STATUS" 202
ok 'and done' await 60 idle
ok 'the VE runs' await 60 ve_is 1000 running
act reinstall
is 'reinstall is taken' "$STATUS" 202
ok 'and done' await 60 idle
ok 'the VE runs again' await 60 ve_is 1000 running

# the operator, by the page and by its twin
ann=$JAR
password=$("$BIN/ve-portald" -o op@example.net -d "$PG_URL")
JAR=$PG_DIR/jar-op
login op@example.net "$password"
http GET /admin/ves
csrf
http POST /admin/ves/1000/actions -d "csrf=$CSRF&action=stop"
is 'an operator stops it' "$STATUS" 303
ok 'and it is stopped' await 60 ve_is 1000 stopped
await 60 idle
api POST /admin/ves/1000/actions '{"action":"start"}'
is 'and starts it' "$STATUS" 202
ok 'and it runs' await 60 ve_is 1000 running
await 60 idle
is 'which is on record with the name' "$(pg_sql "select string_agg(action, ' ' order by id) from ve.audit
  where actor = 'op@example.net' and veid = 1000")" 've.stop ve.start'
JAR=$ann API_CSRF=
api POST /admin/ves/1000/actions '{"action":"stop"}'
is 'the subscriber cannot act as one' "$STATUS" 403

# the daemon dies in the middle of something
pid=$(cat "$PG_DIR/jobd1.pid")
kill -9 "$pid"
act stop
is 'with no daemon a request waits' "$(pg_sql "select state from ve.job order by id desc limit 1")" queued
jobd_start 2
ok 'and is done by the next' await 60 ve_is 1000 stopped
await 60 idle
act start
kill -9 "$(cat "$PG_DIR/jobd2.pid")"
pg_sql "update ve.job set locked_until = now() where state = 'running'" >/dev/null
jobd_start 3
ok 'what a daemon was at when it was killed is done by the next' await 60 ve_is 1000 running

# the agent dies
kill "$(cat "$PG_DIR/agentd.pid")"
wait "$(cat "$PG_DIR/agentd.pid")" 2>/dev/null
await 60 idle
act stop
node_start
ok 'what was asked for while the agent was away is done' await 60 ve_is 1000 stopped
await 60 idle
is 'no request failed' "$(pg_sql "select count(*) from ve.job where state = 'failed'")" 0
act delete
is 'delete is taken' "$STATUS" 202
gone() { [ "$(pg_sql "select deleted_at is not null from ve.ve where veid = 1000")" = t ]; }
ok 'and done' await 60 gone
like 'the agent has it no more' "$(agent /v1/ves/1000)" 've-not-found'
is 'and its place is free' "$(pg_sql 'select placed from ve.node')" 0
api POST /ves '{"template":"debian"}'
is 'another can be opened' "$STATUS" 201
ok 'and runs' await 60 ve_is 1001 running
tap_end
