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

# Processor time of the web part, in clock ticks: what a visitor could time, without the noise of the machine.
ticks() {
  awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$(pgrep -P "$(cat "$PG_DIR/portald1.pid")" -f -- '-P web')/stat"
}
attempts() {
  before=$(ticks)
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do login "$1" 'wrong horse'; done
  echo $(($(ticks) - before))
}
pg_sql 'delete from ve.rate; update ve.rate_rule set most = 1000000' >/dev/null
a=$(attempts ann@example.net)
b=$(attempts nobody@example.net)
echo "# ticks for twelve attempts: known $a, unknown $b"
ok 'and the hash is computed for both' \
  test "$((b * 2))" -gt "$a" -a "$((a * 2))" -gt "$b" -a "$b" -gt 12

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
