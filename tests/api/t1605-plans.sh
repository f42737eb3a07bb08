#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Plans: an operator makes, changes and gives them; a VE that runs has the change at once; its page shows what is
# used, bounded and refused.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/stack.sh

password=$("$BIN/ve-portald" -o op@example.net -d "$PG_URL")
pid_of() { read -r pid _ <"$PG_DIR/fake/ve-$1" && echo "$pid"; }
row() { awk -v n="$2" '$1 == n { print $2, $3 }' "$PG_DIR/fake/limits-$(pid_of "$1")"; }
row_is() { [ "$(row "$1" "$2")" = "$3" ]; }
signup ann@example.net
await 60 ve_is 1000 running
init=$(pid_of 1000)
is 'a fresh VE has the bounds of its plan' "$(row 1000 numfile)" '4096 4096'
is 'and the CPU' "$(cut -d' ' -f1 <"$PG_DIR/fake/qos-$init")" 100

# who may
api GET /admin/plans
is 'a subscriber sees no plans' "$STATUS" 403
api POST /admin/plans '{"plan":"mine"}'
is 'makes none' "$STATUS" 403
api POST /admin/plans/trial '{"numproc":"1"}'
is 'changes none' "$STATUS" 403
api POST /admin/ves/1000/plan '{"plan":"large"}'
is 'and gives none' "$STATUS" 403
ann=$JAR JAR=$PG_DIR/jar-op API_CSRF=
login op@example.net "$password"

# see and change, by the form
http GET /admin/plans
like 'an operator sees them' "$BODY" '<a href="/admin/plans/confirmed">confirmed</a>'
http GET /admin/plans/trial
like 'one by one' "$BODY" 'name="numfile" maxlength="40" value="4096"'
csrf
form() { # SED: the form's fields as they are, one changed
  printf '%s' "$BODY" | grep -o '<input [^>]*>' | grep -v 'type="hidden"\|type="checkbox"' |
    sed 's/.*name="\([^"]*\)".* value="\([^"]*\)".*/\1=\2/' | sed "$1" | tr ' ' + | paste -sd'&'
}
FORM=$(form 's/^numproc=.*/numproc=30:40/')
http POST /admin/plans/trial -d "csrf=$CSRF&$FORM"
is 'a form changes one' "$STATUS" 303
ok 'the VE has it' await 60 row_is 1000 numproc '30 40'
is 'what the form left is as it was' "$(row 1000 numfile)" '4096 4096'
is 'and its init is the same' "$(pid_of 1000)" "$init"
http POST /admin/plans/trial -d "csrf=$CSRF&$(printf '%s' "$FORM" | sed 's/numproc=30:40/numproc=50:40/')"
is 'a barrier above its limit is refused' "$STATUS" 422
like 'with what is wrong' "$BODY" 'numproc: the barrier 50 is above the limit 40'
like 'and what was typed' "$BODY" 'name="numproc" maxlength="40" value="50:40"'
is 'and nothing is changed' "$(pg_sql "select barrier from ve.plan_bean where plan = 'trial' and bean = 'numproc'")" 30

# by the API
API_CSRF=
api POST /admin/plans '{"plan":"tiny","memory":"32M","numproc":"20","up_rate":"1M","up_ceil":"2M","cpu_cap":"150"}'
is 'the API makes one' "$STATUS" 201
api POST /admin/plans '{"plan":"tiny"}'
is 'once' "$STATUS" 409
api POST /admin/plans '{"plan":"other","numprocs":"20"}'
is 'a row that nobody knows is refused' "$STATUS" 422
api POST /admin/plans '{"plan":"other","memory":"999999999T"}'
is 'a number beyond all bounds too' "$STATUS" 422
api POST /admin/plans/tiny '{"life":"for ever"}'
like 'what is no time is said' "$BODY" 'life is not a time, such as'
api GET /admin/plans/none
is 'one that is not there' "$STATUS" 404
api POST /admin/ves/1000/plan '{"plan":"none"}'
is 'is not given' "$STATUS" 404
api POST /admin/ves/1000/plan '{"plan":"tiny"}'
is 'one that is there is' "$STATUS" 200
ok 'and applies at once' await 60 row_is 1000 numproc '20 20'
is 'the CPU too' "$(cut -d' ' -f2 <"$PG_DIR/fake/qos-$init")" 1500000000
http GET /admin/ves
like 'the list says which one a VE has' "$BODY" '<option value="tiny" selected>'
api GET /admin/plans
is 'three and one exist at once' "$(printf '%s' "$BODY" | grep -o '"disk_bytes"' | wc -l)" 4
JAR=$ann API_CSRF=

# what is used
http GET /ves/1000
like 'a page shows each bound' "$BODY" '<small>numproc</small></th>'
printf 'numproc 12 20 3\nprivvmpages 32768 32768 0\n' >"$PG_DIR/fake/used-$init"
echo '1048576 2048' >"$PG_DIR/fake/traffic-$init"
again() {
  pg_sql "update ve.usage_now set at = now() - interval '10 minutes';
    update ve.usage_sample set slot = (slot + 7) % 60, at = at - interval '7 minutes'" >/dev/null
}
# a sample that was on its way is older than what we wrote: another is asked for
counted() { # HELD
  api GET /ves/1000/usage
  printf '%s' "$BODY" | grep -q "\"held\":$1," || { pg_sql "update ve.usage_now set at = now() - interval '10 minutes'" >/dev/null; false; }
}
again
ok 'what is used is counted' await 60 counted 12
like 'in numbers' "$BODY" '"used":"12"'
echo 'numproc 17 20 3' >"$PG_DIR/fake/used-$init"
again
ok 'each minute' await 60 counted 17
http GET /ves/1000
page=$(printf '%s' "$BODY" | tr '\n' ' ')
like 'on the page: used, limit, refused' "$page" '<small>numproc</small></th> *<td[^>]*>17</td> *<td[^>]*>20</td> *<td[^>]*><strong>3</strong></td>'
like 'the last hour as a line' "$page" '<polyline points="[0-9., -]+"/></svg> <small>0 to 17</small>'
like 'and what went over the net' "$page" '1 MiB sent, 2 KiB received'
echo '1000 numproc 20 20 20 5 17 make' >"$PG_DIR/fake/refusals"
told() {
  http GET /ves/1000
  printf '%s' "$BODY" | grep -q 'fork refused in make: processes 20 of 20 (5 times)'
}
ok 'a refusal is on the page in plain words' await 60 told
JAR=$PG_DIR/jar-bob API_CSRF=
signup bob@example.net
api GET /ves/1000/usage
is 'a neighbour does not see it' "$STATUS" 404
JAR=$ann API_CSRF=
# heard by another daemon as well: written down once
jobd_start 2
echo '1000 numfile 9 9 9 1 18 cat' >"$PG_DIR/fake/refusals"
told() { [ "$(pg_sql "select count(*) from ve.refusal where bean = 'numfile'")" -gt 0 ]; }
ok 'two daemons hear' await 60 told
is 'and write once' "$(pg_sql "select count(*) from ve.refusal where bean = 'numfile'")" 1
kill "$(cat "$PG_DIR/jobd1.pid")" "$(cat "$PG_DIR/jobd2.pid")"
wait "$(cat "$PG_DIR/jobd1.pid")" "$(cat "$PG_DIR/jobd2.pid")" 2>/dev/null
printf '1000 numpty 4 4 4 1 19 script\n' >"$PG_DIR/fake/refusals"
taken() { [ ! -e "$PG_DIR/fake/refusals" ]; }
await 60 taken
jobd_start 1
told() { [ "$(pg_sql "select count(*) from ve.refusal where bean = 'numpty'")" = 1 ]; }
ok 'what nobody heard is asked for later' await 60 told
tap_end
