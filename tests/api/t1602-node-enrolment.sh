#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How a node comes and goes: an operator's token, a key that is made on the node, a certificate from the signer,
# and revocation.  n1 stays; n2 comes and is revoked.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/stack.sh
pg_sql 'alter role ve_signer login' >/dev/null

password=$("$BIN/ve-portald" -o op@example.net -d "$PG_URL")
signer_start() {
  printf '%s\n' "db $PG_CONNINFO user=ve_signer" "node_ca $PG_DIR/pki/ca.crt" "node_ca_key $PG_DIR/pki/ca.key" \
    'user nobody' >"$PG_DIR/signer.conf"
  "$BIN/ve-signer" -c "$PG_DIR/signer.conf" >>"$PG_DIR/signer.log" 2>&1 &
  echo $! >"$PG_DIR/signer.pid"
}
enrol() { # TOKEN [DIRECTORY]
  VE_AGENTD_CONF=$PG_DIR/enrolled.conf ENROL_SECONDS=${ENROL_SECONDS:-20} provisioning/enrol/ve-enrol \
    -c "$PG_DIR/pki/ca.crt" -d "${2:-$PG_DIR/n2}" "$URL" "$1" 2>&1
}
invite() { # NAME PORT: $TOKEN
  api POST /admin/nodes "{\"node\":\"$1\",\"url\":\"https://127.0.0.1:$2\",\"capacity\":\"50\"}"
  TOKEN=$(printf '%s' "$BODY" | sed -n 's/.*"token":"\([^"]*\)".*/\1/p')
}
never=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
N2=$((PORT_BASE + 30))
signup ann@example.net
await 60 ve_is 1000 running
ann=$JAR
api POST /admin/nodes '{"node":"n2","url":"https://127.0.0.1:1","capacity":"1"}'
is 'a subscriber gives no token' "$STATUS" 403
JAR=$PG_DIR/jar-op
login op@example.net "$password"

invite n2 $N2
is 'an operator gives a token' "$STATUS" 201
is 'whose words the database does not have' "$(pg_sql "select encode(token_hash, 'hex') from ve.enrolment")" \
  "$(printf %s "$TOKEN" | sha256sum | cut -d' ' -f1)"
http GET /admin
unlike 'and no page shows again' "$BODY" "$TOKEN"
like 'another token is refused' "$(enrol $never)" 'not known'
ok 'and leaves nothing' test ! -e "$PG_DIR/n2/node.key"
ENROL_SECONDS=1
like 'without a signer the node waits' "$(enrol "$TOKEN")" 'is ve-signer running'
ENROL_SECONDS=
api POST /enrolments "{\"link\":\"$TOKEN\",\"csr\":\"$(head -c 300 /dev/zero | base64 -w0)\"}"
is 'a token takes one request' "$STATUS" 410
signer_start
like 'when it is there the same token makes the node' "$(enrol "$TOKEN")" 'this machine is node n2'
used=$TOKEN
invite n4 $((N2 + 4))
api POST /enrolments "{\"link\":\"$TOKEN\",\"csr\":\"$(head -c 300 /dev/zero | base64 -w0)\"}"
is 'anything may be asked' "$STATUS" 202
refused() {
  api POST /enrolments/certificate "{\"link\":\"$TOKEN\"}"
  printf '%s' "$BODY" | grep -q 'no certificate request'
}
ok 'but is not signed' await 60 refused
is 'and makes no node' "$(pg_sql 'select count(*) from ve.node')" 2
invite n4 $((N2 + 4))
pg_sql "update ve.enrolment set expires_at = now() where node_id = 'n4'" >/dev/null
like 'a token that is too old is refused' "$(enrol "$TOKEN" "$PG_DIR/n4")" 'too old'
like 'its certificate names it, and serves only' \
  "$(openssl x509 -in "$PG_DIR/n2/node.crt" -noout -ext subjectAltName,extendedKeyUsage | tr -d '\n')" \
  'URI:urn:vestibule:node:n2.*TLS Web Server Authentication *$'
ok 'and is the CA'"'"'s' openssl verify -CAfile "$PG_DIR/pki/ca.crt" "$PG_DIR/n2/node.crt"
is 'its key is for root only' "$(stat -c %a "$PG_DIR/n2/node.key")" 600
like 'a token is good once' "$(enrol "$used" "$PG_DIR/n2b")" 'used already'
ok 'and nothing of the way to it is left' test ! -e "$PG_DIR/n2/enrol.key" -a ! -e "$PG_DIR/n2/enrol.csr"
invite n2 $((N2 + 1))
is 'a name is used once' "$STATUS" 409
unlike 'the web part has not the key of the CA' "$(cat "$PG_DIR"/portald1.conf)" 'ca.key'

# the agent on it
sed -e "s|^listen.*|listen 127.0.0.1:$N2|" -e "s|^template_dir.*|template_dir $PG_DIR/template|" \
  -e "s|^private_dir.*|private_dir $PG_DIR/private2|" "$PG_DIR/enrolled.conf" >"$PG_DIR/agentd2.conf"
printf '%s\n' "state_dir $PG_DIR/state2" "run_dir $PG_DIR/run2" 'user_api nobody' 'user_term nobody' >>"$PG_DIR/agentd2.conf"
mkdir -p "$PG_DIR/private2" "$PG_DIR/fake2"
VE_FAKE_DIR=$PG_DIR/fake2 "$NODE_BIN" -c "$PG_DIR/agentd2.conf" >>"$PG_DIR/agentd2.log" 2>&1 &
echo $! >"$PG_DIR/agentd2.pid"
alive() { [ "$(pg_sql "select count(*) from ve.node where id = '$1' and seen_at > now() - interval '20 s'")" = 1 ]; }
ok 'the node is heard of' await 60 alive n2
http GET /admin
like 'and on the page' "$BODY" 'n2<br>'
api POST /admin/nodes/n1/actions '{"action":"drain"}'
is 'n1 takes nothing new' "$STATUS" 200
JAR=$PG_DIR/jar-bob API_CSRF=
signup bob@example.net
is 'so the next goes to n2' "$(pg_sql 'select node_id from ve.ve where veid = 1001')" n2
ok 'and runs there' await 60 ve_is 1001 running
ticket() { API_CSRF=; api POST "/ves/$1/tickets"; printf '%s' "$BODY" | sed -n 's/.*"ticket":"\([^"]*\)".*/\1/p'; }
ws() { # VE OP...
  ve=$1
  shift
  "$BIN/wsclient" "$PG_DIR/pki/ca.crt" "${URL##*:}" "/ves/$ve/terminals/main/ws" "$URL" \
    "__Host-ve=$(grep '__Host-ve	' "$JAR" | cut -f7)" "$@"
}
like 'with a terminal' "$(ws 1001 "auth:$(ticket 1001)" hello 2>&1)" '^hello'
block() { [ "$(pg_sql "select count(*) from ve.block where node_id = '$1' and upper(term) > now()")" -gt 0 ]; }
ok 'and a block' await 60 block n2

# revoked
JAR=$PG_DIR/jar-op API_CSRF=
api POST /admin/nodes/n1/actions '{"action":"activate"}'
JAR=$ann API_CSRF=
api POST /admin/nodes/n2/actions '{"action":"revoke"}'
is 'a subscriber revokes nothing' "$STATUS" 403
JAR=$PG_DIR/jar-op API_CSRF=
http GET /admin/nodes/n2/revoke
like 'an operator is asked once more' "$BODY" 'Yes, revoke it'
like 'and told what goes' "$BODY" 'The 1 environments on it are lost'
http GET /admin/nodes/n9/revoke
is 'not about what is no node' "$STATUS" 404
api POST /admin/nodes/n2/actions '{"action":"revoke"}'
is 'an operator does' "$STATUS" 200
left() { grep -q 'node n2 is revoked' "$PG_DIR/jobd1.log"; }
ok 'the job daemon lets go of it' await 60 left
is 'its block is not renewed' "$(pg_sql "select ve.block_renew(id) is null from ve.block where node_id = 'n2' limit 1")" t
is 'the one of n1 is' "$(pg_sql "select ve.block_renew(id) is null from ve.block where node_id = 'n1' limit 1")" f
is 'and not lent before its term is over' \
  "$(pg_sql "with n as (select range from ve.block where node_id = 'n2') select count(*) from n where upper(
    (select term from ve.block b where b.range = n.range and b.node_id = 'n2')) <= now()")" 0
api POST /admin/nodes/n2/actions '{"action":"activate"}'
is 'it does not come back' "$STATUS" 404
invite n2 $((N2 + 1))
is 'nor does its name, so its certificate is nobody'"'"'s' "$STATUS" 409
http GET /admin
like 'the page says what is lost' "$BODY" 'revoked; 1 environments lost'
JAR=$PG_DIR/jar-bob API_CSRF=
http GET /ves/1001
like 'and so does the VE'"'"'s page' "$BODY" 'data-when="lost"><strong>The node is lost'
api POST /ves/1001/actions '{"action":"start"}'
is 'which does not start' "$STATUS" 410
like 'nor open' "$(ws 1001 "auth:$(ticket 1001)" hello 2>&1)" 'closed'
api POST /ves/1001/actions '{"action":"delete"}'
is 'but can be deleted' "$STATUS" 202
api POST /ves '{"template":"tiny"}'
is 'for another' "$STATUS" 201
is 'elsewhere' "$(pg_sql 'select node_id from ve.ve where deleted_at is null and veid > 1001')" n1
JAR=$ann API_CSRF=
like 'the VE on n1 has its terminal' "$(ws 1000 "auth:$(ticket 1000)" hello 2>&1)" '^hello'
is 'all that is in a whole audit chain' "$(pg_sql 'select ve.audit_verify() is null')" t
tap_end
