#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ssh keys: on the page, and at ve-keys, which sshd asks.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/pg.sh
. tests/lib/portal.sh
trap portal_cleanup EXIT
portal_setup && portal_node 100 && portal_start 1 || exit 1

cat >"$PG_DIR/gateway.conf" <<CONF
db $PG_CONNINFO user=ve_gateway
shell /usr/bin/ve-shell
node_ca $PG_DIR/pki/ca.crt
terminal_cert $PG_DIR/pki/terminal.crt
terminal_key $PG_DIR/pki/terminal.key
CONF
for kind in ed25519 ecdsa rsa; do ssh-keygen -q -t $kind -N '' -C "my $kind" -f "$PG_DIR/$kind"; done
ssh-keygen -q -t rsa -b 1024 -N '' -f "$PG_DIR/weak" 2>/dev/null
keys() { "$BIN/ve-keys" -c "$PG_DIR/gateway.conf" "$@"; }
# add FILE: through the form
add() {
  http GET /ves/1000
  csrf
  http POST /keys --data-urlencode "csrf=$CSRF" --data-urlencode "key=$(cat "$1")"
}

signup ann@example.net
type=$(cut -d' ' -f1 "$PG_DIR/ed25519.pub") blob=$(cut -d' ' -f2 "$PG_DIR/ed25519.pub")
is 'a key that nobody left opens nothing' "$(keys "$type" "$blob")" ''
for kind in ed25519 ecdsa rsa; do
  add "$PG_DIR/$kind.pub"
  is "an $kind key is taken" "$STATUS" 303
done
http GET /ves/1000
fp=$(ssh-keygen -lf "$PG_DIR/ed25519.pub" | cut -d' ' -f2)
is 'the page shows its fingerprint as ssh-keygen does' "$(printf '%s' "$BODY" | grep -cF "<code>$fp<")" 1
like 'and its name' "$BODY" 'my ed25519'
is 've-keys prints one restricted line' "$(keys "$type" "$blob")" \
  "restrict,pty,command=\"/usr/bin/ve-shell -c $PG_DIR/gateway.conf $fp 1000\" $type $blob"
add "$PG_DIR/ed25519.pub"
is 'a key is taken once' "$STATUS" 409
add "$PG_DIR/ed25519"
is 'a private key is not' "$STATUS" 400
http GET /ves/1000
csrf
http POST /keys --data-urlencode "csrf=$CSRF" --data-urlencode 'key=-----BEGIN OPENSSH PRIVATE KEY----- abc'
is 'not even on one line' "$STATUS" 422
like 'and the page says why' "$BODY" 'private key'
[ -f "$PG_DIR/weak.pub" ] && { add "$PG_DIR/weak.pub"; is 'a weak RSA key is not' "$STATUS" 422; }
http POST /keys --data-urlencode "csrf=$CSRF" --data-urlencode "key=command=\"x\" $(cat "$PG_DIR/ecdsa.pub")"
is 'options in front of a key are not' "$STATUS" 422
http POST /keys --data-urlencode "csrf=$CSRF" --data-urlencode "key=ssh-rsa $blob"
is 'a blob of another kind is not' "$STATUS" 422
http GET /ves/1000
id=$(printf '%s' "$BODY" | sed -n 's/.*action="\/keys\/\([0-9]*\)\/remove".*/\1/p' | head -1)
csrf
http POST "/keys/$id/remove" -d "csrf=$CSRF"
is 'a key is removed' "$STATUS" 303
is 'and opens nothing any more' "$(keys "$type" "$blob")" ''
http POST "/keys/$id/remove" -d "csrf=$CSRF"
is 'once' "$STATUS" 404
add "$PG_DIR/ed25519.pub"
rm -f "$JAR"
signup bob@example.net
http POST "/keys/1/remove" -d "csrf=$CSRF"
is 'nobody removes a neighbour'"'"'s' "$STATUS" 403
http GET /ves/1001
csrf
http POST "/keys/2/remove" -d "csrf=$CSRF"
is 'not with a token either' "$STATUS" 404
is 'a foreign kind is nobody'"'"'s' "$(keys ssh-dss AAAA)" ''
tap_end
