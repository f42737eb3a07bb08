#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The job daemon dies at each named place on the way of a job and of a block's renewal: the next one does what was
# under way, nobody has an address twice, and no VE is lost.
cd "$(dirname "$0")/../.." || exit 1
JOBD=ve-jobd-failing
. tests/lib/stack.sh
signup ann@example.net
ann=$JAR
JAR=$PG_DIR/jar-bob
signup bob@example.net
JAR=$ann API_CSRF=
await 60 ve_is 1000 running
await 60 ve_is 1001 running
idle() { [ "$(pg_sql "select count(*) from ve.job where state in ('queued', 'running')")" = 0 ]; }
leased() { [ "$(pg_sql "select count(*) from ve.lease where upper_inf(during)")" = 2 ]; }
await 60 idle
ok 'both have an address, as the data base knows' await 60 leased

mkdir -p "$PG_DIR/points"
chmod 777 "$PG_DIR/points"
died() { [ ! -e "$PG_DIR/points/fail-$1" ] && ! kill -0 "$(cat "$PG_DIR/jobd1.pid")"; }
again() { # what was under way is free when its claim runs out, which is not waited for
  pg_sql "update ve.job set locked_until = now() where state = 'running'" >/dev/null
  jobd_start 1
}
# the daemon that was ended or died is another's by now
mourn() { wait "$(cat "$PG_DIR/jobd1.pid")"; rm -f "$PG_DIR/points/fail-$1"; }
whole() { # NAME: at rest, and as it has to be
  ok "$1: what was under way is done" await 60 idle
  ok "$1: the VE is there" await 60 ve_is 1000 "$2"
  holds "$1: the invariants hold"
  is "$1: without an alarm" "$(pg_sql "select count(*) from ve.audit where action = 'lease.alarm'")" 0
}

state=running
ALIVE=1001
for point in job-claimed job-called job-performed; do
  for action in idle wake stop start; do
    : >"$PG_DIR/points/fail-$point"
    api POST /ves/1000/actions "{\"action\":\"$action\"}"
    is "$point: $action is taken" "$STATUS" 202
    ok "$point: the daemon dies in $action" await 60 died "$point"
    mourn "$point"
    again
    case $action in idle) state=frozen ;; stop) state=stopped ;; *) state=running ;; esac
    whole "$point, $action" "$state"
  done
done
ALIVE=$(running)
is 'both run' "$ALIVE" 1000,1001
ok 'with addresses' await 60 leased
for point in block-renewed block-told block-reported; do
  kill "$(cat "$PG_DIR/jobd1.pid")"
  mourn "$point"
  : >"$PG_DIR/points/fail-$point"
  again
  ok "$point: the daemon dies there" await 60 died "$point"
  mourn "$point"
  again
  whole "$point" running
  ok "$point: both have an address" await 60 leased
done
is 'one block is lent' "$(pg_sql "select count(*) from ve.block where upper(term) > now()")" 1
is 'and a whole audit chain' "$(pg_sql 'select ve.audit_verify() is null')" t
tap_end
