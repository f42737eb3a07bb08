#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Requests that could be read in two ways, or make no sense, end at the door.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/pg.sh
. tests/lib/portal.sh
trap portal_cleanup EXIT
portal_setup && portal_node 100 && portal_start 1 || exit 1
# takes its time; looked at in the end
tests/api/drip.py "${URL##*:}" "$PG_DIR/pki/ca.crt" 120 >"$PG_DIR/drip" 2>&1 &
drip=$!
tests/api/drip.py "${URL##*:}" "$PG_DIR/pki/ca.crt" 10 >"$PG_DIR/drop" 2>&1 &
drop=$!
host=${URL#https://}

# raw FORMAT: what printf makes of it, over TLS; prints the status
raw() {
  # shellcheck disable=SC2059
  { printf "$@"; } | timeout 10 openssl s_client -quiet -connect "127.0.0.1:${host#*:}" \
    -servername localhost -CAfile "$PG_DIR/pki/ca.crt" 2>/dev/null |
    sed -n '1s/^HTTP\/1.1 \([0-9]*\).*/\1/p'
}
# get TARGET HEADERS
get() { raw 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%b\r\n' "$1" "$host" "${2:-}"; }

is 'a plain request is answered' "$(get /)" 200
is 'an unknown address is not found' "$(get /nowhere)" 404
is 'nor is one below a known one' "$(get /login/x)" 404
is 'a dotted path is not found' "$(get /static/../pages/ve.html)" 404
is 'an escaped one neither' "$(get /static/%2e%2e/pages/ve.html)" 404
is 'an escaped NUL is malformed' "$(get /login%00)" 400
is 'an escaped control byte too' "$(get /login%0d%0a)" 400
is 'half an escape too' "$(get /login%4)" 400
is 'an absolute address as target too' "$(get https://localhost/)" 400
is 'control bytes in a header too' "$(get / 'X-A: a\001b\r\n')" 400
is 'a space before the colon too' "$(get / 'X-A : b\r\n')" 400
is 'two Host headers too' "$(get / "Host: $host\r\n")" 400
is 'no Host header too' "$(raw 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n')" 400
is 'HTTP/1.0 too' "$(raw 'GET / HTTP/1.0\r\nHost: %s\r\n\r\n' "$host")" 400
is 'another Host is misdirected' "$(raw 'GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')" 421

# post HEADERS BODY
post() { raw 'POST /api/v1/session HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%b\r\n%s' "$host" "$1" "$2"; }
is 'a POST with one length is read' "$(post 'Content-Length: 2\r\nContent-Type: application/json\r\n' '{}')" 403
is 'two lengths are malformed' "$(post 'Content-Length: 2\r\nContent-Length: 2\r\n' '{}')" 400
is 'two different ones too' "$(post 'Content-Length: 2\r\nContent-Length: 3\r\n' '{} ')" 400
is 'length and encoding together too' "$(post 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n' '{}')" 400
is 'an encoding alone has no length' "$(post 'Transfer-Encoding: chunked\r\n' '0')" 411
is 'a signed length is malformed' "$(post 'Content-Length: +2\r\n' '{}')" 400
is 'a POST without length has none' "$(post '' '')" 411
is 'a long body is too large' "$(post 'Content-Length: 8193\r\n' '{}')" 413
is 'a longer one is never read' "$(post 'Content-Length: 99999999999\r\n' '{}')" 413

http PUT /login
is 'a wrong method is told' "$STATUS" 405
like 'with the right ones' "$HEADERS" 'Allow: GET, HEAD, POST'
http POST / -d x=y
is 'on each address' "$STATUS" 405
http TRACE /
is 'TRACE is nothing here' "$STATUS" 405
http HEAD / --head
is 'HEAD is as GET' "$STATUS" 200

api_token
json() { http POST /api/v1/session -H "X-CSRF-Token: $API_CSRF" -H 'Content-Type: application/json' -d "$1"; }
json '{"email": "a@example.net", "password": "x"}'
is 'good JSON is understood' "$STATUS" 401
like 'and answered with a problem' "$HEADERS" 'Content-Type: application/problem\+json'
like 'that has a type' "$BODY" '"type":"urn:vestibule:problem:bad-login"'
for bad in '{' '{"email": NaN}' "{'email': 'x'}" '[]' '"x"' '{"email":"a","email":"b"}' '{"email":"a\u0000b","password":"x"}' \
  '{"email":["a"],"password":"x"}' '{"email":"a",}' ''; do
  json "$bad"
  ok "JSON that is none is refused: $bad" test "$STATUS" = 400 -o "$STATUS" = 415
done
json '{"email": "a@example.net", "password": "x", "admin": 1}'
is 'an unknown member is refused' "$STATUS" 422
json '{"email": "a@example.net"}'
is 'a missing one too' "$STATUS" 422
http POST /api/v1/session -H "X-CSRF-Token: $API_CSRF" -d 'email=a&password=b'
is 'a form is no JSON' "$STATUS" 415
http POST /api/v1/session -H 'Content-Type: application/json' -d '{"email": "a@example.net", "password": "x"}'
is 'JSON needs the token too' "$STATUS" 403
http GET /
is 'and the portal goes on' "$STATUS" 200
wait "$drop"
is 'who takes ten seconds over a request is answered' "$(cat "$PG_DIR/drop")" 200
wait "$drip"
is 'who takes for ever is not waited for' "$(cat "$PG_DIR/drip")" closed
tap_end
