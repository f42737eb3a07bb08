#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A VE under its name: requests reach the program in it, wake it when it sleeps, and say in words when they cannot.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/stack.sh
tests/api/httpd.py >"$PG_DIR/httpd.port" 2>"$PG_DIR/httpd.log" &
echo $! >"$PG_DIR/httpd.pid"
await 60 test -s "$PG_DIR/httpd.port"
port=$(cat "$PG_DIR/httpd.port")
portal=$((PORT_BASE + 1))
# visit NAME PATH [curl options]: $STATUS, $BODY, $HEADERS
visit() {
  vhost=$1 vpath=$2
  shift 2
  STATUS=$(curl -s --max-time 30 --cacert "$PG_DIR/pki/ca.crt" --resolve "$vhost:$portal:127.0.0.1" \
    -D "$PG_DIR/headers" -o "$PG_DIR/body" -w '%{http_code}' "$@" "https://$vhost:$portal$vpath") || STATUS="$STATUS curl $?"
  BODY=$(head -c 4000 "$PG_DIR/body")
  HEADERS=$(tr -d '\r' <"$PG_DIR/headers")
}
# raw NAME TEXT: what comes back for bytes of one's own; false when the connection does not end
raw() {
  printf "$2" | timeout 20 openssl s_client -quiet -connect "127.0.0.1:$portal" -servername "$1" \
    -CAfile "$PG_DIR/pki/ca.crt" >"$PG_DIR/raw" 2>/dev/null
  [ $? != 124 ] || { echo 'no end'; return 1; }
  tr -d '\r' <"$PG_DIR/raw"
}
idle() { [ "$(pg_sql "select count(*) from ve.job where state in ('queued', 'running')")" = 0 ]; }
sleep_now() {
  api POST /ves/1000/actions '{"action":"idle"}'
  await 60 ve_is 1000 frozen && await 60 idle
}

signup ann@example.net
await 60 ve_is 1000 running
await 60 idle
api POST /ves/1000/name "{\"name\":\"annes-box\",\"port\":\"$port\"}"
is 'a VE has a name and a port' "$STATUS" 200
await 60 idle
visit annes-box.ve.localhost '/a?b=c' -H 'X-Forwarded-For: 192.0.2.66' -H 'Forwarded: for=evil'
is 'a visit reaches the program in it' "$STATUS" 200
like 'as it was sent' "$BODY" '^GET /a\?b=c HTTP/1.1$'
like 'with its name' "$BODY" "^Host: annes-box.ve.localhost:$portal"
like 'and the true address of the visitor' "$BODY" '^X-Forwarded-For: 127.0.0.1$'
unlike 'not what the visitor says of itself' "$BODY" '192.0.2.66|evil'
unlike 'and the answer is its own' "$HEADERS" 'Content-Security-Policy'
head -c 200000 /dev/zero >"$PG_DIR/upload"
visit annes-box.ve.localhost / --data-binary "@$PG_DIR/upload"
like 'a body goes there whole' "$BODY" '^body 200000$'
python3 tests/api/half.py "$portal" annes-box.ve.localhost /half >"$PG_DIR/half"
like 'who has said all and listens still is answered' "$(cat "$PG_DIR/half")" '^GET /half HTTP/1.1'
visit annes-box.ve.localhost /big
is 'three million bytes come back whole' "$(wc -c <"$PG_DIR/body")" 3000000
out=$(raw annes-box.ve.localhost 'GET /shout HTTP/1.1\r\nHost: annes-box.ve.localhost\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\nhello\nbye\n')
like 'what it is upgraded to goes both ways' "$out" '^HELLO$'
# up LINES BODY: a request whose head has those lines too, and what follows it at once
up() { raw annes-box.ve.localhost "GET /first HTTP/1.1\\r\\nHost: annes-box.ve.localhost\\r\\n$1\\r\\n$2"; }
next='GET /second HTTP/1.1\r\nHost: other\r\nX-Forwarded-For: 192.0.2.66\r\n\r\n'
out=$(up 'Upgrade: other\r\n' "$next")
like 'who is not upgraded gets an answer' "$out" '^GET /first HTTP/1.1$'
like 'the last one there' "$out" '^Connection: Upgrade, close$'
unlike 'and nothing that follows goes to the VE' "$out" '/second|192.0.2.66'
like 'while a body is awaited there is no upgrade' "$(up 'Upgrade: shout\r\nContent-Length: 6\r\n' 'hello\n')" '^body 6$'
like 'with none there is' "$(up 'Upgrade: shout\r\nContent-Length: 0\r\n' 'hello\nbye\n')" '^HELLO$'
unlike 'an answer is the end of the connection' "$(up '' '')" 'no end'
out=$(up 'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n' '')
unlike 'HTTP/2 is none' "$out" '^Upgrade:'
like 'but a request as any' "$out" '^Connection: close$'
is 'the portal itself is where it was' "$(curl -s -o /dev/null -w '%{http_code}' --cacert "$PG_DIR/pki/ca.crt" "$URL/login")" 200

# a WebSocket
ws_visit() { /usr/bin/python3 tests/api/wsvisit.py "$portal" "$PG_DIR/pki/ca.crt" annes-box.ve.localhost 2>&1 | tr '\n' ' '; }
whole='HTTP/1.1 101 Switching Protocols accept right text as sent ping as sent short as sent middle as sent long as sent close as sent end '
is 'a WebSocket goes through, from the handshake to the close' "$(ws_visit)" "$whole"

# it sleeps
sleep_now
is 'a WebSocket wakes it, and goes through' "$(ws_visit)" "$whole"
ok 'it is awake' await 60 ve_is 1000 running
await 60 idle
sleep_now
visit annes-box.ve.localhost /
is 'a visit wakes it, and is answered' "$STATUS" 200
ok 'it is awake' await 60 ve_is 1000 running
await 60 idle
sleep_now
pg_sql "update ve.rate_rule set most = 1 where kind = 'wake'" >/dev/null
pg_sql "update ve.rate set taken = 5 where kind = 'wake'" >/dev/null
visit annes-box.ve.localhost /
is 'one network does not wake everything' "$STATUS" 429
pg_sql "update ve.rate_rule set most = 1000 where kind = 'wake'" >/dev/null
visit annes-box.ve.localhost /
is 'the others do' "$STATUS" 200

# in words
api POST /ves/1000/name '{"name":"annes-box","port":"9"}'
await 60 idle
visit annes-box.ve.localhost /
is 'a port that nobody listens on' "$STATUS" 502
like 'says so' "$BODY" 'nobody listens on port 9'
visit nobody.ve.localhost /
is 'a name that nobody has' "$STATUS" 404
api POST /ves/1000/actions '{"action":"stop"}'
await 60 ve_is 1000 stopped
visit annes-box.ve.localhost /
is 'one that was stopped by hand is not woken' "$STATUS" 409
is 'and stays so' "$(ve_state 1000)" stopped

# hostile heads
first() { printf '%s\n' "$1" | head -1; }
like 'another Host than the name of the handshake' \
  "$(first "$(raw annes-box.ve.localhost 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')")" ' 421 '
like 'a VE'"'"'s Host on the portal'"'"'s name' \
  "$(first "$(raw localhost 'GET / HTTP/1.1\r\nHost: annes-box.ve.localhost\r\n\r\n')")" ' 421 '
like 'two Hosts' \
  "$(first "$(raw annes-box.ve.localhost 'GET / HTTP/1.1\r\nHost: annes-box.ve.localhost\r\nHost: b\r\n\r\n')")" ' 400 '
like 'no Host' "$(first "$(raw annes-box.ve.localhost 'GET / HTTP/1.1\r\n\r\n')")" ' 400 '
like 'a length and an encoding' \
  "$(first "$(raw annes-box.ve.localhost 'POST / HTTP/1.1\r\nHost: annes-box.ve.localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\nabcd')")" ' 400 '
like 'another HTTP' "$(first "$(raw annes-box.ve.localhost 'GET / HTTP/1.0\r\nHost: annes-box.ve.localhost\r\n\r\n')")" ' 400 '
for byte in 012 015 011 001 177 040; do
  like "a byte in the first line that is none: $byte" \
    "$(first "$(raw annes-box.ve.localhost "GET /a\\${byte}X: HTTP/1.1\r\nHost: annes-box.ve.localhost\r\n\r\n")")" ' 400 '
done
like 'no method' "$(first "$(raw annes-box.ve.localhost ' / HTTP/1.1\r\nHost: annes-box.ve.localhost\r\n\r\n')")" ' 400 '
like 'a header without a colon' \
  "$(first "$(raw annes-box.ve.localhost 'GET / HTTP/1.1\r\nHost: annes-box.ve.localhost\r\nnothing\r\n\r\n')")" ' 400 '
like 'an address instead of a path' \
  "$(first "$(raw annes-box.ve.localhost 'GET http://localhost/ HTTP/1.1\r\nHost: annes-box.ve.localhost\r\n\r\n')")" ' 400 '
like 'a head without end' "$(first "$(raw annes-box.ve.localhost "GET / HTTP/1.1\r\nX: $(head -c 40000 /dev/zero | tr '\0' x)")")" ' 413 '
is 'after all that the portal is there' "$(curl -s -o /dev/null -w '%{http_code}' --cacert "$PG_DIR/pki/ca.crt" "$URL/login")" 200
ALIVE=$(running)
holds 'after all that the invariants hold'
tap_end
