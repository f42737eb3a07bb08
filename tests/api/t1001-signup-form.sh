#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sign-up by the form: what is let in, what is not, and that nothing half-made stays.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/pg.sh
. tests/lib/portal.sh
trap portal_cleanup EXIT
portal_setup && portal_node 5 && portal_start 1 || exit 1

# try EMAIL PASSWORD TEMPLATE: with a good token
try() {
  http GET /signup
  csrf
  http POST /signup --data-urlencode "csrf=$CSRF" --data-urlencode "email=$1" \
    --data-urlencode "password=$2" --data-urlencode "template=$3"
}
people() { pg_sql "select count(*) from ve.subscriber"; }

try ann@example.net 'correct horse' tiny
is 'a good form is taken' "$STATUS" 303
like 'the session cookie is for this host, secure, and out of script' "$HEADERS" \
  'Set-Cookie: __Host-ve=[A-Za-z0-9_-]{43}; Path=/; Secure; HttpOnly; SameSite=Strict'
http GET /home
like 'which leads to the own VE' "$HEADERS" 'Location: /ves/1000'
http GET /ves/1000
is 'whose page is there' "$STATUS" 200
rm -f "$JAR"

# log-in in two tabs, and a link from elsewhere: the form that was there before stays good
http GET /login
csrf
like 'the cookie of a form comes along with a link' "$HEADERS" 'Set-Cookie: __Host-vp=.*SameSite=Lax'
login() {
  http POST /login --data-urlencode "csrf=$1" --data-urlencode email=ann@example.net --data-urlencode 'password=correct horse'
}
login "$CSRF"
is 'one tab logs in' "$STATUS" 303
login "$CSRF"
is 'so does another that was open' "$STATUS" 303
login "${CSRF}x"
is 'not with another token' "$STATUS" 403
http POST /keys --data-urlencode "csrf=$CSRF" --data-urlencode key=x
is 'what is for who is logged in wants the token of that' "$STATUS" 403
rm -f "$JAR"

try ann@example.net 'correct horse' tiny
is 'a second account for an address is refused' "$STATUS" 409
like 'and the form says so' "$BODY" 'has an account already'
unlike 'and gives no password back' "$BODY" 'correct horse'
try ANN@EXAMPLE.NET 'correct horse' tiny
is 'also in other letters' "$STATUS" 409
is 'the database has one' "$(people)" 1

try bob 'correct horse' tiny
is 'what is no address is refused' "$STATUS" 422
try bob@example.net short tiny
is 'a short password is refused' "$STATUS" 422
try bob@example.net 'correct horse' windows
is 'an unknown template is refused' "$STATUS" 422
try "bob@example.net$(printf '\001')" 'correct horse' tiny
is 'a control byte in the address is refused' "$STATUS" 400
try bob@example.net "correct$(printf '\033')horse" tiny
is 'a control byte in the password is refused' "$STATUS" 400
try bob@example.net 'correct horse' "ti$(printf '\177')ny"
is 'a control byte in the template is refused' "$STATUS" 400
http GET /signup
csrf
for field in email password template csrf; do
  http POST /signup -d "csrf=$CSRF&email=bob@example.net&password=correct+horse&template=tiny&$field=a%00b"
  is "a NUL byte in $field is refused" "$STATUS" 400
done
http POST /signup -d "csrf=$CSRF&email=b%ff@example.net&password=correct+horse&template=tiny"
is 'bytes that are not UTF-8 are refused' "$STATUS" 400
http POST /signup -d "csrf=$CSRF&email=bob@example.net&password=correct+horse&template=tiny&role=operator"
is 'a field that nobody knows is refused' "$STATUS" 422
http POST /signup -d "csrf=$CSRF&email=bob@example.net&email=b@example.net&password=correct+horse&template=tiny"
is 'a field that stands there twice is refused' "$STATUS" 400
is 'and all that left nobody behind' "$(people)" 1

http POST /signup -d 'email=bob@example.net&password=correct+horse&template=tiny'
is 'without a token it is refused' "$STATUS" 403
like 'and the page says what to do' "$BODY" 'reload the page'
http POST /signup -d "csrf=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&email=bob@example.net&password=correct+horse&template=tiny"
is 'with a foreign token too' "$STATUS" 403
http POST /signup -H 'Origin: https://evil.example' \
  -d "csrf=$CSRF&email=bob@example.net&password=correct+horse&template=tiny"
is 'from a foreign origin too' "$STATUS" 403
http POST /signup -H 'Origin: null' \
  -d "csrf=$CSRF&email=bob@example.net&password=correct+horse&template=tiny"
is 'from no origin at all too' "$STATUS" 403
http POST /signup -H 'Sec-Fetch-Site: cross-site' \
  -d "csrf=$CSRF&email=bob@example.net&password=correct+horse&template=tiny"
is 'and when the browser says cross-site' "$STATUS" 403
http POST /signup -H "Origin: $URL" -H 'Sec-Fetch-Site: same-origin' \
  -d "csrf=$CSRF&email=bob@example.net&password=correct+horse&template=tiny"
is 'the same from our own page is taken' "$STATUS" 303
rm -f "$JAR"

for i in 1 2 3; do
  try "guest$i@example.net" 'correct horse' tiny
  rm -f "$JAR"
done
try last@example.net 'correct horse' tiny
is 'a full house takes people too' "$STATUS" 303
http GET /home
like 'into a line' "$BODY" 'number <strong data-field="place">1</strong> of'
like 'that is looked at again without script' "$BODY" 'http-equiv="refresh"'
rm -f "$JAR"
pg_sql 'update ve.rate set taken = 1000' >/dev/null
try late@example.net 'correct horse' tiny
is 'too many from one network are stopped' "$STATUS" 429
is 'and six are in' "$(people)" 6
is 'whose audit chain is whole' "$(pg_sql 'select ve.audit_verify() is null')" t
tap_end
