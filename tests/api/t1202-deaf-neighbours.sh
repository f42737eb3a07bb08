#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# VEs whose init does not heed a stop take the node's time to the last second: nobody else waits for them.
cd "$(dirname "$0")/../.." || exit 1
AGENT_CONF='stop_ms 300000'
. tests/lib/stack.sh
who() { JAR=$PG_DIR/jar-$1 API_CSRF=; }
stopping() { [ "$(pg_sql "select count(*) from ve.job where kind = 'stop' and state = 'running'")" = "$1" ]; }
idle() { [ "$(pg_sql "select count(*) from ve.job where state in ('queued', 'running')")" = 0 ]; }
created() { [ "$(pg_sql "select count(*) from ve.job where veid = $1 and state = 'done'")" = 1 ]; }

for n in 0 1 2 3 4 5 6 7; do
  who "$n"
  signup "deaf$n@example.net"
  await 60 ve_is "100$n" running || { tap_say 1 "VE 100$n comes up"; break; }
  read -r pid _ <"$PG_DIR/fake/ve-100$n"
  kill -STOP "$pid"
  await 60 created "100$n"
  api POST "/ves/100$n/actions" '{"action":"stop"}'
done
ok 'eight are asked to stop and do not' await 60 stopping 8
who ann
signup ann@example.net
ok 'another starts meanwhile' await 60 ve_is 1008 running
api POST /ves/1008/actions '{"action":"stop"}'
ok 'and stops' await 60 ve_is 1008 stopped
is 'while they still do not' "$(pg_sql "select count(*) from ve.job where kind = 'stop' and state = 'running'")" 8
for n in 0 1 2 3 4 5 6 7; do
  read -r pid _ <"$PG_DIR/fake/ve-100$n"
  kill -KILL "$pid"
done
ok 'their end is seen when it comes' await 60 idle
is 'in each of them' "$(pg_sql "select count(*) from ve.ve where state = 'stopped'")" 9
tap_end
