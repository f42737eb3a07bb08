#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# When addresses are out: networks take turns, within one whoever came first, and each page says the place and
# how long it may take.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/pg.sh
. tests/lib/portal.sh
. tests/lib/node.sh
trap portal_cleanup EXIT
AGENT_CONF='quarantine_ms 200'
portal_setup && node_start || exit 1
pg_sql "delete from ve.pool where family(range) = 4; select ve.pool_install('10.77.0.0/31', 31)" >/dev/null
jobd_start 1 && portal_start 1 || exit 1

# from NAME NETWORK: a subscriber of 127.0.NETWORK.0/24 signs up; $VEID
from() {
  JAR=$PG_DIR/jar-$1 API_CSRF=
  http GET /api/v1/session --interface "127.0.$2.1"
  API_CSRF=$(printf '%s' "$BODY" | jq -r .csrf)
  http POST /api/v1/accounts --interface "127.0.$2.1" -H 'Content-Type: application/json' -H "X-CSRF-Token: $API_CSRF" \
    -d "{\"email\":\"$1@example.net\",\"password\":\"correct horse\",\"template\":\"tiny\"}"
  VEID=$(printf '%s' "$BODY" | jq .veid) API_CSRF=
  await 60 ve_is "$VEID" running
}
agent() {
  curl -s --max-time 20 -k --cert "$PG_DIR/pki/control.crt" --key "$PG_DIR/pki/control.key" "https://127.0.0.1:$NODE_PORT$1"
}
# as the agent has it, "VEID PLACE" of all that wait
line() { agent '/v1/ves?view=status&limit=100' | jq -r '[.items[] | select(.status.waiting) | {v: .veid, w: .status.waiting}] | sort_by(.w) | map("\(.v)") | join(" ")'; }
line_is() { [ "$(line)" = "$1" ]; }
with_address() { [ "$(pg_sql "select state_ipv4 is not null from ve.ve where veid = $1")" = t ]; }
place_is() { [ "$(pg_sql "select waiting from ve.ve where veid = $1")" = "$2" ]; }
page() { JAR=$PG_DIR/jar-$1 API_CSRF=; http GET "/ves/$2"; }
free() { JAR=$PG_DIR/jar-$1 API_CSRF=; api POST "/ves/$2/actions" '{"action":"stop"}'; }
later() { [ "$(date +%s)" -ge "$1" ]; }

from a1 1; a1=$VEID; from a2 1; a2=$VEID
ok 'the first has an address' await 60 with_address "$a1"
ok 'and the second' await 60 with_address "$a2"
is 'the agent knows where it comes from' "$(agent "/v1/ves/$a1" | jq -r .spec.network)" 127.0.1.0/24
from a3 1; a3=$VEID; from a4 1; a4=$VEID; from b1 2; b1=$VEID
ok 'when they are out one of another network, that has none yet, comes first' await 60 line_is "$b1 $a3 $a4"
ok 'of which the portal hears' await 60 place_is "$a4" 3
page a4 "$a4"
like 'the page says the place' "$BODY" 'number 3 in the line for one<'
is 'nobody knows yet how long it takes' "$(agent "/v1/ves/$a4" | jq .status.waiting_s)" null
await 60 later $(($(date +%s) + 3)) # the first has waited by then
free a1 "$a1"
ok 'it has the first address that is free' await 60 with_address "$b1"
ok 'and the others move up' await 60 line_is "$a3 $a4"
ok 'of which the portal hears too' await 60 place_is "$a4" 2
page a4 "$a4"
like 'and the page says how long it may take' "$BODY" 'number 2 in the line for one, which may take about [0-9]+ min<'
api GET "/ves/$a4"
is 'so does JSON' "$(printf %s "$BODY" | jq '.waiting_minutes >= 1')" true
from b2 2; b2=$VEID
ok 'networks take turns' await 60 line_is "$a3 $b2 $a4"
free a2 "$a2"
ok 'and within one whoever came first' await 60 with_address "$a3"
free b2 "$b2"
ok 'who stops leaves the line' await 60 line_is "$a4"
is 'with no address twice' "$(pg_sql "select count(*) from ve.audit where action = 'lease.alarm'")" 0
tap_end
