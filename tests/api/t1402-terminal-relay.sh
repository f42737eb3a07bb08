#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The whole relay: browser, portal, agent, pty.  Two portals; what one of them
# hears of, both obey within a second.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/pg.sh
. tests/lib/portal.sh
. tests/lib/node.sh
trap portal_cleanup EXIT
portal_setup && node_start && jobd_start 1 && portal_start 1 && portal_start 2 || exit 1

cookie() { printf '__Host-ve=%s' "$(grep '__Host-ve	' "$JAR" | cut -f7)"; }
# ws OP...: terminal main of VE 1000 on $URL; QUERY= for from, cols, rows
ws() {
  "$BIN/wsclient" "$PG_DIR/pki/ca.crt" "${URL##*:}" "/ves/1000/terminals/main/ws${QUERY:-}" "$URL" \
    "$(cookie)" "$@"
}
ticket() {
  API_CSRF=
  api POST /ves/1000/tickets
  TICKET=$(printf '%s' "$BODY" | sed -n 's/.*"ticket":"\([^"]*\)".*/\1/p')
}
ms() { date +%s%3N; }

signup ann@example.net
await 60 ve_is 1000 running
ticket
is 'a terminal opens and echoes' "$(ws "auth:$TICKET" hello 'input:echo a$((40+2))b\n' 'until:a42b')" 'hello 0 0
seen'
ticket
like 'another window sees what was shown' "$(ws "auth:$TICKET" 'until:a42b')" seen
ticket
is 'the size goes through' "$(ws "auth:$TICKET" resize:132x43 'input:stty size\n' 'until:43 132')" seen
ticket
out=$(ws "auth:$TICKET" 'input:sleep 1; echo do""ne\n' hello)
like 'one leaves with work under way' "$out" '^hello'
ticket
is 'and finds it done' "$(ws "auth:$TICKET" 'until:done')" seen
ticket
QUERY='?from=999999999'
like 'a number from nowhere gets a snapshot' "$(ws "auth:$TICKET" hello until:done)" 'seen'
QUERY=
ticket
is 'a flood comes through whole' \
  "$(ws "auth:$TICKET" 'input:stty -echo; seq 1 200000 | tail -c 1000000; echo e""nd; stty echo\n' 'until:200000')" seen
ticket
is 'the end of the shell is told with its status' "$(ws "auth:$TICKET" hello 'input:exit 7\n' exit | tail -1)" 'exit 7'
ticket
is 'and the next is a new one' "$(ws "auth:$TICKET" 'input:echo ag""ain\n' until:again)" seen

# two portals: the second one's browser, the first one's log-out
URL=$URL2
login ann@example.net
two=$(cookie)
ticket
ws "auth:$TICKET" hello close >"$PG_DIR/two" &
waiter=$!
attached() { grep -q hello "$PG_DIR/two"; }
await 60 attached
URL=$URL1
http GET /ves/1000 -b "$two"
csrf
begin=$(ms)
http POST /logout -d "csrf=$CSRF" -b "$two"
wait "$waiter"
took=$(($(ms) - begin))
is 'a log-out at one portal closes the terminal at the other' "$(tail -1 "$PG_DIR/two")" 'close 4401'
echo "# after $took ms; a quiet machine takes less than one second"

# suspension: both portals' terminals
password=$("$BIN/ve-portald" -o op@example.net -d "$PG_URL")
URL=$URL1
login ann@example.net
ticket
ws "auth:$TICKET" hello close >"$PG_DIR/one" &
w1=$!
URL=$URL2
ticket
ws "auth:$TICKET" hello close >"$PG_DIR/two" &
w2=$!
both() { grep -q hello "$PG_DIR/one" && grep -q hello "$PG_DIR/two"; }
await 60 both
ann=$JAR JAR=$PG_DIR/jar-op
URL=$URL1
login op@example.net "$password"
http GET /admin/subscribers
csrf
id=$(pg_sql "select id from ve.subscriber where email = 'ann@example.net'")
begin=$(ms)
http POST "/admin/subscribers/$id/actions" -d "csrf=$CSRF&action=suspend&why=mining"
wait "$w1"
wait "$w2"
took=$(($(ms) - begin))
is 'a suspension closes the terminal at one portal' "$(tail -1 "$PG_DIR/one")" 'close 4403'
is 'and at the other' "$(tail -1 "$PG_DIR/two")" 'close 4403'
echo "# after $took ms; a quiet machine takes less than one second"
suspended() { [ "$(pg_sql 'select state_suspended from ve.ve where veid = 1000')" = t ]; }
ok 'and the node knows' await 60 suspended
JAR=$ann
login ann@example.net
is 'there is no way in' "$STATUS" 403
JAR=$PG_DIR/jar-op
http GET /admin/subscribers
csrf
kill -STOP "$(cat "$PG_DIR/jobd1.pid")"
http POST "/admin/subscribers/$id/actions" -d "csrf=$CSRF&action=unsuspend"
JAR=$ann
login ann@example.net
ticket
is 'it is lifted, and the node has not heard: again, soon' "$(ws "auth:$TICKET" close)" 'close 1001'
kill -CONT "$(cat "$PG_DIR/jobd1.pid")"
lifted() { [ "$(pg_sql 'select state_suspended from ve.ve where veid = 1000')" = f ]; }
ok 'until it is lifted' await 60 lifted
await 60 ve_is 1000 running
login ann@example.net
ticket
is 'then the terminal opens again' "$(ws "auth:$TICKET" 'input:echo ba""ck\n' until:back)" seen

# a stopped VE
ticket
ws "auth:$TICKET" hello close >"$PG_DIR/one" &
w1=$!
one() { grep -q hello "$PG_DIR/one"; }
await 60 one
api POST /ves/1000/actions '{"action":"stop"}'
wait "$w1"
like 'stopping a VE closes its terminals' "$(tail -1 "$PG_DIR/one")" 'close'
ok 'and it stays stopped' await 60 ve_is 1000 stopped
api POST /ves/1000/tickets
is 'a page does not wake it' "$STATUS" 409

# the agent dies and comes back: the portal stays
api POST /ves/1000/actions '{"action":"start"}'
await 60 ve_is 1000 running
ticket
is 'it starts again' "$(ws "auth:$TICKET" 'input:echo he""re\n' until:here)" seen
# the web part dies: it is back at once
web=$(pgrep -P "$(cat "$PG_DIR/portald1.pid")" -f 'P web')
kill -9 "$web"
portal_wait "$URL1"
http GET /ves/1000
is 'a web part that was killed is back, the session is still good' "$STATUS" 200
ticket
is 'and so is the terminal with all it had' "$(ws "auth:$TICKET" until:here)" seen
tap_end
