#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sleep as its subscriber sees it: what keeps a VE awake, the step down, and who wakes it.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/stack.sh
see() { api GET /ves/1000; printf %s "$BODY" | jq -r "$1"; }
says() { see .activity | grep -q "$1"; }
act() { api POST /ves/1000/actions "{\"action\":\"$1\"}"; }
leased() { [ "$(pg_sql "select count(*) from ve.lease where upper_inf(during)")" = "$1" ]; }
idle() { [ "$(pg_sql "select count(*) from ve.job where state in ('queued', 'running')")" = 0 ]; }

signup ann@example.net
await 60 ve_is 1000 running
ok 'a VE says why it is awake' await 60 says started
like 'and until when' "$(see .idle_at)" '^20..-'
http GET /ves/1000
like 'on its page too' "$BODY" 'active: started'
like 'with a key to keep it so' "$BODY" 'value="stay"'
ok 'it has an address' await 60 leased 1
act stay
is 'that key is taken' "$STATUS" 202
ok 'and is activity' await 60 says extended
await 60 idle
act idle
is 'sleep is taken' "$STATUS" 202
ok 'it sleeps' await 60 ve_is 1000 frozen
await 60 idle
is 'without an address' "$(see .ipv4)" null
ok 'which is free for others' await 60 leased 0
like 'and says when it will be stopped' "$(see .stop_at)" '^20..-'
is 'looking by program wakes nobody' "$(ve_state 1000)" frozen
http GET /ves/1000
is 'opening its page' "$STATUS" 200
ok 'wakes it' await 60 ve_is 1000 running
await 60 idle
act idle
await 60 ve_is 1000 frozen
await 60 idle
API_CSRF=
api POST /ves/1000/tickets
ticket=$(printf '%s' "$BODY" | jq -r .ticket)
like 'so does its terminal' "$("$BIN/wsclient" "$PG_DIR/pki/ca.crt" "${URL##*:}" /ves/1000/terminals/main/ws "$URL" \
  "__Host-ve=$(grep '__Host-ve	' "$JAR" | cut -f7)" "auth:$ticket" 'input:echo a$((40+2))b\n' 'until:a42b')" seen
ok 'as the database hears' await 60 ve_is 1000 running
act stop
await 60 ve_is 1000 stopped
await 60 idle
http GET /ves/1000
await 60 idle
is 'one that was stopped by hand is not woken by a page' "$(ve_state 1000)" stopped
act stay
is 'nor kept awake' "$STATUS" 409

# the last step, and what is about to happen
like 'what is stopped says when it is packed away' "$(see .archive_at)" '^20..-'
http GET /ves/1000
like 'on its page too' "$BODY" 'Packed away at <time'
like 'and nothing is near' "$BODY" 'id="soon".* hidden>'
pg_sql "update ve.ve set stopped_at = now() - interval '2 days 12 hours' where veid = 1000" >/dev/null
is 'until it is' "$(see .soon.what)" archive
http GET /ves/1000
unlike 'then the page warns' "$BODY" 'id="soon".* hidden>'
like 'with one key against it' "$BODY" 'name="action" value="keep" accesskey="k"'
act keep
is 'which is taken' "$STATUS" 202
is 'and puts it off' "$(see .soon)" null
await 60 idle
is 'the VE is as it was' "$(ve_state 1000)" stopped
act start
await 60 ve_is 1000 running
await 60 idle
pg_sql "update ve.plan set warn = '2 hours', idle_after = '1 hour' where name = 'trial'; select ve.plan_apply(array[1000])" >/dev/null
warned() { [ "$(see .soon.what)" = sleep ]; }
ok 'sleep is said ahead as well' await 60 warned
act keep
is 'and kept off by the same key' "$STATUS" 202
ok 'which is activity' await 60 says extended

# the name
http GET /ves/1000
csrf
http POST /ves/1000/name -d "csrf=$CSRF&name=annes-box"
is 'a VE is given a name' "$STATUS" 303
is 'which is its own' "$(see .hostname)" annes-box
http POST /ves/1000/name -d "csrf=$CSRF&name=www"
is 'not one that is reserved' "$STATUS" 422
like 'the page says why' "$BODY" 'the name www is reserved'
http POST /ves/1000/name -d "csrf=$CSRF" --data-urlencode 'name=An Box'
is 'nor one that is none' "$STATUS" 422
JAR=$PG_DIR/jar-bob API_CSRF=
signup bob@example.net
api POST /ves/1001/name '{"name":"annes-box"}'
is 'nor one that is taken' "$STATUS" 409
api POST /ves/1000/name '{"name":"bobs-box"}'
is 'nobody names a foreign one' "$STATUS" 404
api POST /ves/1001/name '{"name":"bobs-box"}'
is 'but the own' "$STATUS" 200
ALIVE=$(running)
holds 'after all that the invariants hold'
tap_end
