#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What strangers send: bodies, methods, paths, headers that do not fit.
. "$(dirname "$0")/t2-lib.sh"
make_pki
configure
start_agent

put() { status PUT /v1/ves/1000 -H 'If-None-Match: *' -d "$1"; }
is 'no JSON' "$(put 'nonsense')" 400
is 'empty body' "$(put '')" 400
is 'NaN' "$(put '{"template":"tiny","desired":"stopped","generation":NaN}')" 400
is 'member twice' "$(put '{"template":"tiny","desired":"stopped","generation":1,"generation":2}')" 400
is 'unknown member' "$(put '{"template":"tiny","desired":"stopped","generation":1,"x":1}')" 400
is 'unknown member of limits' "$(put "$(spec stopped 1 ',"limits":{"x":1}')")" 400
is 'limit too small' "$(put "$(spec stopped 1 ',"limits":{"memory_bytes":1}')")" 400
is 'NUL in a name' "$(put '{"template":"tiny\u0000","desired":"stopped","generation":1}')" 400
is 'control byte in a name' "$(put "$(printf '{"template":"ti\001ny","desired":"stopped","generation":1}')")" 400
is 'path in a template' "$(put '{"template":"../etc","desired":"stopped","generation":1}')" 400
is 'bad host name' "$(put '{"template":"tiny","hostname":"-a","desired":"stopped","generation":1}')" 400
is 'IPv4 as ipv6' "$(put "$(spec stopped 1 ',"ipv6":"10.0.0.1"')")" 400
is 'wrong desire' "$(put "$(spec dancing 1)")" 400
is 'generation 0' "$(put "$(spec stopped 0)")" 400
is 'template unknown' "$(put '{"template":"nixos","desired":"stopped","generation":1}')" 422
head -c 70000 /dev/zero | tr '\0' a >"$T/big"
is 'body over the bound' "$(status PUT /v1/ves/1000 -H 'If-None-Match: *' -H Expect: --data-binary "@$T/big")" 413
is 'body over the bound, chunked' "$(status PUT /v1/ves/1000 -H 'If-None-Match: *' -H Expect: -H 'Transfer-Encoding: chunked' --data-binary "@$T/big")" 400
is 'a body where none is taken' "$(status GET /v1/node -d x)" 413
is 'wrong method' "$(status PATCH /v1/ves/1000)" 405
is 'HEAD is no GET' "$(api HEAD /v1/node --head -o /dev/null -w '%{http_code}')" 405
is 'unknown route' "$(status GET /v1/nothing)" 404
is 'veid out of range' "$(status GET /v1/ves/2147483648)" 404
is 'veid 0' "$(status GET /v1/ves/0)" 404
is 'veid with a sign' "$(status GET /v1/ves/+5)" 404
is 'percent in the path' "$(status GET /v1/ves/1%30)" 400
is 'double slash' "$(api GET //v1/node --path-as-is -o /dev/null -w '%{http_code}')" 400
is 'dots in the path' "$(api GET /v1/../v1/node --path-as-is -o /dev/null -w '%{http_code}')" 404
is 'limit out of range' "$(status GET '/v1/ves?limit=0')" 400
for ids in '' ',' '1,' ',1' x 0 -1 2147483648 "$(seq -s, 101)"; do
  is "ids=$(printf %.20s "$ids")" "$(status GET "/v1/ves?ids=$ids")" 400
done
is 'a hundred ids' "$(status GET "/v1/ves?ids=$(seq -s, 100)")" 200
is 'another view' "$(status GET '/v1/ves?view=all')" 400
is 'limit no number' "$(status GET '/v1/ves?limit=1x')" 400

# what curl does not send
raw() {
	printf "$1" | openssl s_client -quiet -connect "127.0.0.1:$PORT" -CAfile "$T/ca.crt" -cert "$T/control.crt" \
		-key "$T/control.key" 2>/dev/null | head -n 1 | tr -d '\r'
}
is 'two Content-Length' "$(raw 'PUT /v1/ves/1000 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\nConnection: close\r\n\r\n{}')" \
	'HTTP/1.1 400 Bad Request'
is 'two Host' "$(raw 'GET /v1/node HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n')" 'HTTP/1.1 400 Bad Request'
is 'length and encoding' "$(raw 'PUT /v1/ves/1000 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n')" \
	'HTTP/1.1 400 Bad Request'

contract=$(sed -n 's/^  "\(\/[^"]*\)": {$/\1/p' agent/openapi.json | sort)
is 'the contract describes each route, and no other' "$contract" \
	"$(sed -n 's/^\t{ "[A-Z]*", *"\([^"]*\)".*/\1/p' agent/route.c | sort -u)"
is 'the contract is served' "$(api GET /openapi.json | json openapi)" 3.1.0
is 'nothing was made' "$(api GET /v1/ves | json 'items.#')" 0
is 'the parts lived through it' "$(grep -c 'starting it again' "$T/log")" 0
done_testing
