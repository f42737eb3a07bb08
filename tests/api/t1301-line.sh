#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The line when all places are taken: seen without script and by events, left, and served in order by the daemon.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/stack.sh
pg_sql "update ve.node set capacity = 1" >/dev/null
who() { JAR=$PG_DIR/jar-$1 API_CSRF=; }
veid_of() { pg_sql "select veid from ve.ve join ve.subscriber s on s.id = subscriber_id where email = '$1@example.net' and deleted_at is null"; }
has_ve() { [ -n "$(veid_of "$1")" ]; }

who ann; signup ann@example.net
who bob; signup bob@example.net
who cat; signup cat@example.net
who dan; signup dan@example.net
is 'who comes to a full house is taken' "$STATUS" 303
http GET /home
like 'and has a place' "$BODY" 'number <strong data-field="place">3</strong> of <span data-field="of">3</span>'
like 'that a browser without script looks at again' "$BODY" '<noscript><meta http-equiv="refresh"'
http GET /home/events
like 'and one with script hears of' "$HEADERS" 'Content-Type: text/event-stream'
like 'as an event' "$BODY" '^data: .*"place":3'
like 'after which it comes back' "$BODY" '^retry: [0-9]+'
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
who dan; http GET /home/events
like 'the others move up' "$BODY" '"place":2'

who ann; api POST /ves/1000/actions '{"action":"delete"}'
ok 'a place that is freed' await 30 has_ve bob
unlike 'goes to one, not to two' "$(veid_of dan)" .
who bob; http GET /home
like 'who is led to it' "$HEADERS" 'Location: /ves/1001'
http GET /home/events
like 'by the events too' "$BODY" '^data: null'
ok 'it runs' await 30 ve_is 1001 running
pg_sql "update ve.node set capacity = 2" >/dev/null
ok 'when there is more room the next has a place' await 20 has_ve dan
is 'and the line is empty' "$(pg_sql 'select count(*) from ve.queue')" 0
who cat; api POST /ves '{"template":"tiny"}'
is 'who left may come again' "$(printf %s "$BODY" | jq -c '[.veid, .queue.place]')" '[null,1]'
is 'all that is in a whole audit chain' "$(pg_sql 'select ve.audit_verify() is null')" t
tap_end
