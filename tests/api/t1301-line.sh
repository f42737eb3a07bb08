#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The line when all places are taken: seen without script and by events, left, and served in order by the daemon.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/stack.sh
pg_sql "update ve.node set capacity = 1" >/dev/null
who() { JAR=$PG_DIR/jar-$1 API_CSRF=; }
veid_of() { pg_sql "select veid from ve.ve join ve.subscriber s on s.id = subscriber_id where email = '$1@example.net' and deleted_at is null"; }
has_ve() { [ -n "$(veid_of "$1")" ]; }
# hear NAME: the events of one's page from now on, in $PG_DIR/NAME.events, the head in NAME.head; ends by itself or at the end
hear() {
  curl -sN --cacert "$PG_DIR/pki/ca.crt" -b "$JAR" -D "$PG_DIR/$1.head" "$URL/home/events" >"$PG_DIR/$1.events" 2>/dev/null &
  hearing=$!
  echo $hearing >"$PG_DIR/hear-$1.pid"
}
heard() { grep -qE "$2" "$PG_DIR/$1.events"; }
still() { kill -0 "$(cat "$PG_DIR/hear-$1.pid")"; }
over() { ! still "$1"; }
seats() { curl -s --max-time 5 -o /dev/null -w '%{http_code} %{size_download}' -N --cacert "$PG_DIR/pki/ca.crt" -b "$JAR" "$URL/home/events"; }

who ann; signup ann@example.net
who bob; signup bob@example.net
who cat; signup cat@example.net
who dan; signup dan@example.net
is 'who comes to a full house is taken' "$STATUS" 303
http GET /home
like 'and has a place' "$BODY" 'number <strong data-field="place">3</strong> of <span data-field="of">3</span>'
like 'that a browser without script looks at again' "$BODY" '<noscript><meta http-equiv="refresh"'
hear dan
ok 'and one with script hears of' await 60 heard dan '^data: .*"place":3'
like 'as an event' "$(tr -d '\r' <"$PG_DIR/dan.head")" '^Content-Type: text/event-stream$'
like 'after which it would come back' "$(cat "$PG_DIR/dan.events")" '^retry: [0-9]+'
ok 'but need not: the connection stays' still dan
api GET /home
is 'programs see the same' "$(printf %s "$BODY" | jq -c '[.queue.place, .queue.of, .ve]')" '[3,3,null]'
who nobody; http GET /home/events
unlike 'strangers see none' "$BODY" place
api POST /accounts '{"email":"eve@example.net","password":"correct horse","template":"windows"}'
is 'nobody waits for what is not there' "$STATUS" 422

who cat; http GET /home; csrf
http POST /queue/leave -d 'csrf=AAAA'
is 'nobody is made to leave by another site' "$STATUS" 403
http POST /queue/leave -d "csrf=$CSRF"
is 'one leaves' "$STATUS" 303
http GET /home
like 'and may open one again later' "$BODY" 'Open it'
api DELETE /queue
is 'but not leave again' "$STATUS" 404
ok 'the others move up, and hear of it where they are' await 60 heard dan '"place":2'
ok 'on the same connection' still dan

who ann; api POST /ves/1000/actions '{"action":"delete"}'
ok 'a place that is freed' await 60 has_ve bob
unlike 'goes to one, not to two' "$(veid_of dan)" .
ok 'the one who is now first hears it' await 60 heard dan '"place":1'
who bob; http GET /home
like 'who is led to it' "$HEADERS" 'Location: /ves/1001'
hear bob
ok 'by the events too' await 60 heard bob '^data: null'
ok 'it runs' await 60 ve_is 1001 running
pg_sql "update ve.node set capacity = 2" >/dev/null
ok 'when there is more room the next has a place' await 60 has_ve dan
ok 'and hears that it is their turn' await 60 heard dan '^data: null'
is 'and the line is empty' "$(pg_sql 'select count(*) from ve.queue')" 0
who cat; api POST /ves '{"template":"tiny"}'
is 'who left may come again' "$(printf %s "$BODY" | jq -c '[.veid, .queue.place]')" '[null,1]'

# seats: a few a person, and none without a session
for i in 1 2 3 4; do hear "cat$i"; done
for i in 1 2 3 4; do await 60 heard "cat$i" '"place":1'; done
like 'a person has four pages that hear' "$(seats)" '^200 [1-9]'
ok 'the first of them is still there' still cat1
http GET /home; csrf
http POST /logout -d "csrf=$CSRF"
for i in 1 2 3 4; do ok "who logs out hears no more on page $i" await 60 over "cat$i"; done
ok 'and is told so' heard cat1 '^event: end'
ok 'others hear on' still bob
login cat@example.net
hear late
ok 'and there is room again' await 60 heard late '"place":1'
kill "$(cat "$PG_DIR/hear-late.pid")"
# a house-keeping function that fails says so, once, and goes on when it can
was=$(pg_sql "select pg_get_functiondef('ve.queue_run'::regproc)")
pg_sql 'create sequence ve.rounds; alter sequence ve.rounds owner to ve_owner' >/dev/null
# fails STATEMENT: what queue_run() does from now on
fails() {
  pg_sql "create or replace function ve.queue_run() returns jsonb language plpgsql security definer
    set search_path = ve, pg_temp as \$\$ begin perform nextval('rounds'); $1; end \$\$; select setval('ve.rounds', 1)" >/dev/null
}
rounds() { [ "$(pg_sql 'select last_value from ve.rounds')" -ge 5 ]; }
said() { grep -c "queue_run: $1" "$PG_DIR/jobd1.log"; }
fails "raise exception using errcode = 'VE009', message = 'a riddle'"
ok 'the line is not served for a while' await 60 rounds
is 'which is logged once' "$(said 'VE009 a riddle')" 1
fails 'return to_jsonb(1 / (nextval('"'rounds'"') * 0))'
ok 'another way to fail' await 60 rounds
is 'is logged once too' "$(said '22012 ')" 1
pg_sql "$was" >/dev/null
pg_sql "update ve.node set capacity = placed + 10" >/dev/null
served() { [ "$(pg_sql 'select count(*) from ve.queue')" = 0 ]; }
ok 'and then it is served again' await 60 served
pg_kill
ok 'without the database nobody is left to believe in a place' await 60 over bob
pg_up
is 'all that is in a whole audit chain' "$(pg_sql 'select ve.audit_verify() is null')" t
tap_end
