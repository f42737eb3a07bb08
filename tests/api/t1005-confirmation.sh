#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The letter that confirms an address: sent by a real mail server, or refused by it; the link is good once.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/pg.sh
. tests/lib/portal.sh
. tests/lib/node.sh
/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || { echo '1..0 # SKIP needs python3-aiosmtpd'; exit 0; }
trap portal_cleanup EXIT
portal_setup && node_start || exit 1
SMTP_PORT=$((PORT_BASE + 60))
mkdir "$PG_DIR/box"
smtpd_start() {
  tests/api/smtpd.py "$SMTP_PORT" "$PG_DIR/box" >>"$PG_DIR/smtpd.log" 2>&1 &
  echo $! >"$PG_DIR/smtpd.pid"
}
smtpd_stop() { kill "$(cat "$PG_DIR/smtpd.pid")" && wait "$(cat "$PG_DIR/smtpd.pid")" 2>/dev/null; }
letters() { find "$PG_DIR/box" -name '*.eml' | wc -l; }
has_letters() { [ "$(letters)" -ge "$1" ]; }
# the newest letter, soft line breaks joined
letter() { tr -d '\r' <"$PG_DIR/box/$(letters).eml"; }
link() { letter | sed -n "s|^$URL/confirm/\(.*\)|\1|p"; }
tried() { [ "$(pg_sql "select max(attempts) from ve.mail where sent_at is null")" -ge "$1" ]; }
has_error() { pg_sql "select error from ve.mail order by id desc limit 1" | grep -q "$1"; }
given_up() { [ "$(pg_sql "select failed_at is not null from ve.mail order by id desc limit 1")" = t ]; }
again() { pg_sql "update ve.mail set run_at = now() where sent_at is null" >/dev/null; }
confirm() { http POST /confirm -d "link=$1"; }

# nobody is there to take letters
jobd_start 1 && portal_start 1 || exit 1
signup ann@example.net
ok 'without a mail server a letter is tried' await 60 has_error 'connect'
ok 'and kept' test "$(pg_sql 'select failed_at is null and sent_at is null from ve.mail')" = t
ok 'for later' test "$(pg_sql 'select run_at > now() from ve.mail')" = t
await 60 ve_is 1000 running
is 'a fresh VE has the limits of a trial' "$(pg_sql 'select plan from ve.ve')" trial
http GET /ves/1000
like 'the page says what a confirmed address opens' "$BODY" 'Confirm your e-mail address'

# it comes back, and is busy, then takes it
echo 'rcpt 451 4.3.0 Try again later' >"$PG_DIR/box/answer"
smtpd_start
await 60 sh -c "echo | socat - TCP:127.0.0.1:$SMTP_PORT"
again
ok 'a server that is busy is asked again' await 60 has_error 'Try again later'
ok 'later' test "$(pg_sql 'select failed_at is null and run_at > now() from ve.mail')" = t
echo 'greet 554 5.3.2 Closed today' >"$PG_DIR/box/answer"
again
ok 'so is one that takes nobody' await 60 has_error 'Closed today'
ok 'later' test "$(pg_sql 'select failed_at is null and run_at > now() from ve.mail')" = t
rm "$PG_DIR/box/answer"
again
ok 'the letter arrives' await 60 has_letters 1
like 'to the right person' "$(letter)" '^To: <ann@example.net>'
like 'with a link' "$(link)" '^[A-Za-z0-9_-]{43}$'
sent() { [ "$(pg_sql "select sent_at is not null from ve.mail order by id desc limit 1")" = t ]; }
ok 'and is sent' await 60 sent
first=$(link)
is 'whose words the database does not have' \
  "$(pg_sql "select count(*) from ve.mail where body like '%$first%'")" 0
is 'only what they hash to' "$(pg_sql "select encode(token_hash, 'hex') from ve.confirmation order by expires_at desc limit 1")" \
  "$(printf %s "$first" | sha256sum | cut -d' ' -f1)"

# the link
mine=$JAR
JAR=$PG_DIR/jar-other
http GET "/confirm/$first"
is 'the link opens, without being logged in' "$STATUS" 200
like 'to a form that needs no script' "$BODY" 'method="post" action="/confirm"'
is 'and looking at it confirms nothing' "$(pg_sql 'select count(*) from ve.subscriber where confirmed_at is not null')" 0
confirm AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
is 'a made-up link is refused' "$STATUS" 410
confirm short
is 'what is no link too' "$STATUS" 422
http GET "/confirm/nothing"
is 'on opening as well' "$STATUS" 404
pg_sql "update ve.confirmation set expires_at = now()" >/dev/null
confirm "$first"
is 'one that is too old is refused' "$STATUS" 410
like 'and says what to do' "$BODY" 'ask for another'

# another one
JAR=$mine
http GET /ves/1000
csrf
http POST /confirm/again -d "csrf=AAAA"
is 'another letter is not asked for by other sites' "$STATUS" 403
http POST /confirm/again -d "csrf=$CSRF"
is 'but on the page' "$STATUS" 303
ok 'and comes' await 60 has_letters 2
second=$(link)
ok 'with another link' test "$second" != "$first"
confirm "$second"
is 'which confirms' "$STATUS" 200
is 'the person' "$(pg_sql 'select count(*) from ve.subscriber where confirmed_at is not null')" 1
is 'and opens more' "$(pg_sql 'select plan from ve.ve')" confirmed
applied() { curl -s --max-time 10 --cacert "$PG_DIR/pki/ca.crt" --cert "$PG_DIR/pki/control.crt" \
  --key "$PG_DIR/pki/control.key" -k "https://127.0.0.1:$NODE_PORT/v1/ves/1000" | jq -e '.spec.limits.memory_bytes == 268435456'; }
ok 'on the node too' await 60 applied
is 'in the running VE' "$(ve_state 1000)" running
confirm "$second"
is 'a link is good once' "$STATUS" 410
http GET /ves/1000
unlike 'the page asks no more' "$BODY" 'Send the letter again'
csrf
http POST /confirm/again -d "csrf=$CSRF"
is 'nor sends more letters' "$STATUS" 409

# refused for good, and too often
JAR=$PG_DIR/jar-bob
echo 'rcpt 550 5.1.1 No such user' >"$PG_DIR/box/answer"
signup bob@example.net
ok 'a letter that is refused for good' await 60 given_up
is 'is not tried again' "$(pg_sql 'select attempts from ve.mail order by id desc limit 1')" 1
http GET /home
http GET /ves/1001
like 'and the page says so' "$BODY" 'No such user'
echo 'data 552 5.2.2 Box is full' >"$PG_DIR/box/answer"
csrf
http POST /confirm/again -d "csrf=$CSRF"
ok 'so at the end of a letter' await 60 has_error 'Box is full'
smtpd_stop
http POST /confirm/again -d "csrf=$CSRF"
pg_sql "update ve.mail set attempts = 11 where sent_at is null and failed_at is null" >/dev/null
again
ok 'a server that stays away is given up in the end' await 60 given_up
rm "$PG_DIR/box/answer"
http POST /confirm/again -d "csrf=$CSRF"
is 'three letters an hour' "$STATUS" 303
http POST /confirm/again -d "csrf=$CSRF"
is 'are the limit' "$STATUS" 429
API_CSRF=
api POST /confirmations/again
is 'for programs too' "$STATUS" 429
smtpd_start
again
ok 'a letter arrives' await 60 has_letters 3
api POST /confirmations "{\"link\":\"$(link)\"}"
is 'and confirms a program as well' "$STATUS" 200

# warnings, each with a link that puts off what it warns of
JAR=$mine
keep() { letter | sed -n "s|^$URL/keep/\(.*\)|\1|p"; }
API_CSRF=
api POST /ves/1000/actions '{"action":"stop"}'
await 60 ve_is 1000 stopped
pg_sql "update ve.ve set expires_at = now() + interval '1 hour' where veid = 1000" >/dev/null
ok 'a trial that ends is said in a letter' await 60 has_letters 4
like 'with a link' "$(keep)" '^[A-Za-z0-9_-]{43}$'
link=$(keep)
JAR=$PG_DIR/jar-other
http GET "/keep/$link"
is 'which opens without being logged in' "$STATUS" 200
like 'to a form that needs no script' "$BODY" 'method="post" action="/keep"'
expires() { pg_sql "select expires_at > now() + interval '$1' from ve.ve where veid = 1000"; }
is 'and looking at it changes nothing' "$(expires '2 hours')" f
http POST /keep -d "link=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
is 'a made-up link is refused' "$STATUS" 410
http POST /keep -d "link=$link"
is 'one press' "$STATUS" 200
like 'and it is kept' "$BODY" 'Environment #1000 stays as it is'
is 'for as long as its plan gives' "$(expires '29 days')" t
http POST /keep -d "link=$link"
is 'once' "$STATUS" 410
pg_sql "update ve.ve set stopped_at = now() - interval '13 days 12 hours' where veid = 1000" >/dev/null
ok 'so is that a stopped one is packed away' await 60 has_letters 5
like 'in words' "$(letter)" '^environment #1000 is stopped. At 20.* it is packed away'
api POST /keeps "{\"link\":\"$(keep)\"}"
is 'a program keeps it as well' "$STATUS" 200
is 'for as long as on the first day' "$(pg_sql 'select stopped_at > now() - interval '"'1 minute'"' from ve.ve where veid = 1000')" t
is 'all that is in a whole audit chain' "$(pg_sql 'select ve.audit_verify() is null')" t
tap_end
