#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# VEs whose init does not heed a stop take the node's time to the last second: nobody who starts waits for them, and who
# stops only for more than seven.
cd "$(dirname "$0")/../.." || exit 1
AGENT_CONF='stop_ms 300000'
. tests/lib/stack.sh
who() { JAR=$PG_DIR/jar-$1 API_CSRF=; }
stopping() { [ "$(pg_sql "select count(*) from ve.job where kind = 'stop' and state = 'running'")" = "$1" ]; }
stops() { [ "$(pg_sql "select state from ve.job where veid = $1 and kind = 'stop'")" = running ]; }
idle() { [ "$(pg_sql "select count(*) from ve.job where state in ('queued', 'running')")" = 0 ]; }
created() { [ "$(pg_sql "select count(*) from ve.job where veid = $1 and state = 'done'")" = 1 ]; }

# deaf NUMBER...: each comes up, heeds nothing any more, and is asked to stop
deaf() {
  for n in "$@"; do
    who "$n"
    signup "deaf$n@example.net"
    await 60 ve_is "10$n" running || { tap_say 1 "VE 10$n comes up"; tap_end; exit 1; }
    read -r pid _ <"$PG_DIR/fake/ve-10$n"
    kill -STOP "$pid"
    await 60 created "10$n"
    api POST "/ves/10$n/actions" '{"action":"stop"}'
  done
}
deaf 00 01 02 03 04 05 06
ok 'seven are asked to stop and do not' await 60 stopping 7
who ann
signup ann@example.net
ok 'another starts meanwhile' await 60 ve_is 1007 running
api POST /ves/1007/actions '{"action":"stop"}'
ok 'and stops' await 60 ve_is 1007 stopped
deaf 08 09 10 11 12
ok 'twelve are eight at a time' await 60 stopping 8
who bob
signup bob@example.net
ok 'another starts even then' await 60 ve_is 1013 running
is 'while none of them has stopped' "$(pg_sql "select string_agg(state || ' ' || n, ', ' order by state)
  from (select state::text, count(*) n from ve.job where kind = 'stop' and veid <> 1007 group by 1) x")" 'queued 4, running 8'
for n in 00 01 02 03 04 05 06 08 09 10 11 12; do
  await 60 stops "10$n"
  read -r pid _ <"$PG_DIR/fake/ve-10$n"
  kill -KILL "$pid"
done
ok 'their end is seen when it comes, and others follow' await 60 idle
is 'in each of them' "$(pg_sql "select count(*) from ve.ve where state = 'stopped'")" 13
tap_end
