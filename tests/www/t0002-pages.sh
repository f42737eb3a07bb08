#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Pages as a browser gets them: policy, headers, errors with words, everything
# there without script.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/pg.sh
. tests/lib/portal.sh
trap portal_cleanup EXIT
portal_setup && portal_node 100 && portal_start 1 || exit 1

signup ann@example.net
for path in / /signup /login /home /ves/1000 /ves/1000/terminal /ves/1000/confirm/delete /nowhere; do
  http GET "$path"
  like "$path: default-src 'none'" "$HEADERS" "Content-Security-Policy: default-src 'none'; script-src 'self'; "
  unlike "$path: nothing unsafe" "$HEADERS" 'unsafe-'
  like "$path: no framing" "$HEADERS" "frame-ancestors 'none'"
  like "$path: trusted types" "$HEADERS" "require-trusted-types-for 'script'"
  like "$path: no sniffing" "$HEADERS" 'X-Content-Type-Options: nosniff'
  like "$path: not kept" "$HEADERS" 'Cache-Control: no-store'
  unlike "$path: no server's name" "$HEADERS" '^Server:'
  unlike "$path: no other site" "$BODY" '(src|href|action)="(https?:)?//'
done
nonce() { printf '%s\n' "$HEADERS" | sed -n "s/.*'nonce-\([^']*\)'.*/\1/p"; }
http GET /ves/1000
one=$(nonce)
like 'the nonce is in the page where the terminal is made' "$BODY" "nonce=\"$one\""
http GET /ves/1000
ok 'and never twice' test "$one" != "$(nonce)"
like 'without script the page says so' "$BODY" '<noscript>A live terminal needs script'
like 'and how else' "$BODY" 'ssh -p 2222 ve@localhost'
like 'and looks again by itself while the VE starts' "$BODY" 'http-equiv="refresh"'
like 'each action is a form' "$BODY" 'action="/ves/1000/actions"'
http GET /nowhere
is 'an error is a page' "$STATUS" 404
like 'with words' "$BODY" 'There is nothing here'
http GET /ves/9999
is 'a foreign VE is not found' "$STATUS" 404
pg_sql "update ve.subscriber set email = 'x@<b>.example' where email = 'ann@example.net'" >/dev/null
pg_sql "update ve.ve set state_error = '<script>alert(1)</script>'" >/dev/null
http GET /ves/1000
like 'what people write is text' "$BODY" '&lt;script&gt;alert\(1\)&lt;/script&gt;'
unlike 'and nothing else' "$BODY" '<script>alert'
for file in /static/site.css /static/term.js /static/mark.svg /vendor/xterm-6.0.0/xterm.mjs /favicon.ico; do
  http GET "$file"
  is "$file is there" "$STATUS" 200
done
http GET /static/site.css
tag=$(printf '%s\n' "$HEADERS" | sed -n 's/^ETag: //p')
http GET /static/site.css -H "If-None-Match: $tag"
is 'a file that has not changed is not sent again' "$STATUS" 304
http GET /healthz
is 'the portal is alive' "$STATUS" 200
http GET /readyz
is 'and ready' "$STATUS" 200

# the database goes away and comes back
pg_kill
http GET /
is 'without database the front door is open' "$STATUS" 200
like 'and says what is missing' "$BODY" 'figures are missing'
http GET /ves/1000
is 'the rest says so' "$STATUS" 503
like 'in words' "$BODY" 'cannot reach our records'
like 'and when to try again' "$HEADERS" 'Retry-After'
http GET /readyz
is 'the portal is not ready' "$STATUS" 503
pg_up
portal_wait "$URL"
http GET /ves/1000
is 'and all is there again when the database is' "$STATUS" 200
tap_end
