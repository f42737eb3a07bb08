#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who gets to the terminal: our page, this session, its own VE, a fresh ticket, once.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/pg.sh
. tests/lib/portal.sh
trap portal_cleanup EXIT
portal_setup && portal_node 100 && portal_start 1 || exit 1

cookie() { printf '__Host-ve=%s' "$(grep '__Host-ve	' "$1" | cut -f7)"; }
# ws JAR OP...: a terminal of VE $VE
ws() {
  jar=$1
  shift
  "$BIN/wsclient" "$PG_DIR/pki/ca.crt" "${URL##*:}" "/ves/$VE/terminals/main/ws" "$ORIGIN" \
    "$(cookie "$jar")" "$@"
}
ticket() {
  api POST "/ves/$VE/tickets"
  TICKET=$(printf '%s' "$BODY" | sed -n 's/.*"ticket":"\([^"]*\)".*/\1/p')
}
ORIGIN=$URL VE=1000
signup ann@example.net
ann=$JAR

api POST "/ves/$VE/tickets"
is 'there is no ticket for what no node has begun to make' "$STATUS" 409
pg_sql "update ve.job set state = 'running' where veid = $VE" >/dev/null

ticket
is 'a good ticket leads to the node (which is not there)' "$(ws "$ann" "auth:$TICKET" close)" 'close 1001'
is 'a ticket works once' "$(ws "$ann" "auth:$TICKET" close)" 'close 4409'
is 'a ticket that never was does not' "$(ws "$ann" auth:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA close)" 'close 4409'
is 'nor does what is no ticket' "$(ws "$ann" auth:x close)" 'close 4409'
is 'nor another first message' "$(ws "$ann" input:ls close)" 'close 4409'
is 'nor an unknown one' "$(ws "$ann" byte:99 close)" 'close 4409'
is 'nor an empty resize' "$(ws "$ann" byte:18 close)" 'close 4409'
is 'a frame over the limit is too big' "$(ws "$ann" size:70000 close)" 'close 1009'
is 'silence is not waited for' "$(ws "$ann" close)" 'close 4408'

ORIGIN=https://evil.example
ticket
is 'a foreign page is refused' "$(ws "$ann" "auth:$TICKET" close)" 'http 403'
ORIGIN=null
is 'no page at all too' "$(ws "$ann" "auth:$TICKET" close)" 'http 403'
ORIGIN=$URL
is 'the ticket was not spent by that' "$(ws "$ann" "auth:$TICKET" close)" 'close 1001'
is 'a stranger is refused' "$(ws /dev/null "auth:$TICKET" close)" 'http 401'

JAR=$PG_DIR/jar-bob
API_CSRF=
signup bob@example.net
bob=$JAR
JAR=$ann
API_CSRF=
ticket
is 'a stolen ticket opens nothing' "$(ws "$bob" "auth:$TICKET" close)" 'close 4409'
is 'and is spent' "$(ws "$ann" "auth:$TICKET" close)" 'close 4409'
ticket
VE=1001
is 'a ticket is for its own VE' "$(ws "$ann" "auth:$TICKET" close)" 'close 4409'
VE=1000
ticket
pg_sql "update ve.ticket set expires_at = now()" >/dev/null
is 'an old ticket opens nothing' "$(ws "$ann" "auth:$TICKET" close)" 'close 4409'
http GET /ves/1000/terminals/main/ws
is 'without a handshake it says what it speaks' "$STATUS" 426
http GET /ves/1000/terminals/..%2f/ws
is 'a name is a name' "$STATUS" 404
tap_end
