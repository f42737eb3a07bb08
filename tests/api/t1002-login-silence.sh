#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Log-in tells nobody who has an account, by words or by time; log-out ends.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/pg.sh
. tests/lib/portal.sh
trap portal_cleanup EXIT
portal_setup && portal_node 100 && portal_start 1 || exit 1

signup ann@example.net
http GET /home
csrf
http POST /logout -d "csrf=AAAA"
is 'log-out needs its token' "$STATUS" 403
old=$(grep __Host-ve "$JAR" | cut -f7)
http GET /ves/1000
csrf
http POST /logout -d "csrf=$CSRF"
is 'log-out works' "$STATUS" 303
http GET /api/v1/home -b "__Host-ve=$old"
is 'and the cookie opens nothing any more' "$STATUS" 401
http GET /home
like 'a page sends strangers to the log-in' "$HEADERS" 'Location: /login'
rm -f "$JAR"

login ann@example.net
is 'the right password opens' "$STATUS" 303
rm -f "$JAR"
login ann@example.net 'wrong horse'
is 'the wrong one does not' "$STATUS" 401
known=$(printf '%s' "$BODY" | sed 's/value="[^"]*"//g; s/nonce="[^"]*"//g')
login nobody@example.net 'wrong horse'
is 'nor does an unknown address' "$STATUS" 401
unknown=$(printf '%s' "$BODY" | sed 's/value="[^"]*"//g; s/nonce="[^"]*"//g')
is 'with the same words' "$known" "$unknown"

# times in microseconds of one log-in attempt
took() {
  http GET /login
  csrf
  curl -s -o /dev/null -w '%{time_total}' --cacert "$PG_DIR/pki/ca.crt" -b "$JAR" \
    --data-urlencode "csrf=$CSRF" --data-urlencode "email=$1" -d 'password=wrong+horse' \
    "$URL/login" | sed 's/\.//; s/^0*//'
}
pg_sql 'delete from ve.rate; update ve.rate_rule set most = 1000000' >/dev/null
: >"$PG_DIR/known"
: >"$PG_DIR/unknown"
for _ in 1 2 3 4 5 6 7 8 9 10 11; do
  took ann@example.net >>"$PG_DIR/known"
  echo >>"$PG_DIR/known"
  took nobody@example.net >>"$PG_DIR/unknown"
  echo >>"$PG_DIR/unknown"
done
median() { sort -n "$1" | sed -n 6p; }
a=$(median "$PG_DIR/known") b=$(median "$PG_DIR/unknown")
echo "# medians in microseconds: known $a, unknown $b"
ok 'and the hash is computed for both' \
  test "$((b * 2))" -gt "$a" -a "$((a * 2))" -gt "$b" -a "$b" -gt 5000

pg_sql "update ve.rate_rule set most = 3 where kind = 'login_account'; delete from ve.rate" >/dev/null
for _ in 1 2 3 4; do login nobody@example.net x; done
is 'attempts on one address are limited' "$STATUS" 429
for _ in 1 2 3 4; do login ann@example.net x; done
is 'known or not' "$STATUS" 429
login ann@example.net
is 'even for the right password' "$STATUS" 429
pg_sql 'delete from ve.rate' >/dev/null
login ann@example.net
is 'until the time is over' "$STATUS" 303
tap_end
