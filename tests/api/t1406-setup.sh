#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A machine becomes the portal as docs/install.md says: make install-portal, ve-setup, the programs as their units have
# them; an operator logs in and invites a node, which enrols and carries the first subscriber's VE.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/cover.sh
. tests/lib/tap.sh
. tests/lib/pg.sh
. tests/lib/portal.sh
. tests/lib/node.sh
trap portal_cleanup EXIT
pg_bare || exit 1
chmod a+x "$PG_DIR"
PG_CONNINFO="host=$PG_DIR dbname=vestibule" PG_URL="host=$PG_DIR dbname=vestibule user=postgres"
# the programs' roles come with their passwords
printf 'local all postgres trust\nlocal all all scram-sha-256\n' >"$PG_DIR/data/pg_hba.conf"
psql -qXAt -h "$PG_DIR" -U postgres -d ve -c 'select pg_reload_conf()' >/dev/null
URL=https://localhost:$((PORT_BASE + 43))
setup() { PGUSER=postgres ve-setup -h "$PG_DIR" -s "$PG_DIR" "$@" 2>&1; }

ok 'the portal is installed' sh -c 'make -s install-portal BUILD="$BUILD" >/dev/null'
like 'without its accounts it is not set up' "$(setup "$URL" op@example.net)" 'run systemd-sysusers'
systemd-sysusers vestibule-portal.conf >/dev/null 2>&1
like 'nor at an address that is none' "$(setup http://localhost op@example.net)" 'is no https'
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=x -keyout /etc/x.key -out /etc/x.crt 2>/dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out /etc/y.key 2>/dev/null
cp /etc/x.crt /tmp/x.crt
like 'nor with a certificate that is not there' "$(setup -c /etc/none -k /etc/x.key "$URL" op@example.net)" 'is not there'
like 'nor where the portal sees none' "$(setup -c /tmp/x.crt -k /etc/x.key "$URL" op@example.net)" 'sees no files below'
like 'nor with a key of another' "$(setup -c /etc/x.crt -k /etc/y.key "$URL" op@example.net)" 'is not the key of'
like 'nor with half a certificate' "$(setup -c /x "$URL" op@example.net)" 'go together'
like 'nor without PostgreSQL' "$(setup -p 1 "$URL" op@example.net)" 'does not answer'
said=$(setup "$URL" op@example.net)
like 'with all that it is' "$said" 'operator op@example.net, password [A-Za-z0-9]'
password=$(printf '%s\n' "$said" | sed -n 's/.*operator op@example.net, password \([^ ]*\) .*/\1/p')
for f in ve-portald.conf:root ve-jobd.conf:ve-jobd ve-signer.conf:ve-signer ve-gateway.conf:ve vestibule/pki/ca.key:ve-signer \
  vestibule/pki/control.key:ve-jobd vestibule/gateway.key:ve; do
  is "${f%:*} is for ${f#*:} to read" "$(stat -c '%U %G %a' "/etc/${f%:*}")" "root ${f#*:} 640"
done
before=$(cat /etc/ve-*.conf /etc/vestibule/pki/*)
unlike 'once more: no other operator' "$(setup "$URL" other@example.net)" 'password'
is 'and all is as it was' "$(cat /etc/ve-*.conf /etc/vestibule/pki/*)" "$before"

pg_sql "alter role ve_jobd password 'x'" >/dev/null
setup "$URL" op@example.net >/dev/null # of a data base that was restored

for p in signer jobd; do
  runuser -u "ve-$p" -- "/usr/sbin/ve-$p" -c "/etc/ve-$p.conf" >>"$PG_DIR/$p.log" 2>&1 &
  echo $! >"$PG_DIR/$p.pid"
done
/usr/sbin/ve-portald -c /etc/ve-portald.conf >>"$PG_DIR/portald.log" 2>&1 &
echo $! >"$PG_DIR/portald.pid"
ln -s /etc/vestibule/pki "$PG_DIR/pki"
JAR=$PG_DIR/jar
answers() { http GET / && [ "$STATUS" = 200 ]; }
ok 'the portal answers' await 60 answers
login op@example.net "$password"
is 'its operator is let in' "$STATUS" 303
api POST /admin/nodes "{\"node\":\"n1\",\"url\":\"https://127.0.0.1:$PORT_BASE\",\"capacity\":\"50\"}"
is 'and invites a node' "$STATUS" 201
token=$(printf '%s' "$BODY" | sed -n 's/.*"token":"\([^"]*\)".*/\1/p')
ok 'a node is installed' sh -c 'make -s install-node BUILD="$BUILD" >/dev/null'
like 'it enrols' "$(ve-enrol -c /etc/vestibule/pki/ca.crt "$URL" "$token" 2>&1)" 'this machine is node n1'
is 'what it has of the way out' "$(sed -n 's/^uplink //p' /etc/ve-agentd.conf | wc -l)" 1
systemd-sysusers vestibule-node.conf >/dev/null 2>&1
like 'it makes a template' "$(ve-template tiny 2>&1)" '/var/lib/ve/template/tiny$'
like 'whose files are not changed under VEs' "$(ve-template tiny 2>&1)" 'is there: give another name'
is 'with its devices' "$(stat -c '%F %a' /var/lib/ve/template/tiny/dev/null)" 'character special file 666'
like 'and its digest' "$(cat /var/lib/ve/template/tiny.digest)" '^[0-9a-f]{64}$'
mkdir -p "$PG_DIR/fake" /var/lib/ve/private # ve-node.service makes it, on a kernel that has VEs
sed -i "s/^listen.*/listen 127.0.0.1:$PORT_BASE/" /etc/ve-agentd.conf
printf '%s\n' "run_dir $PG_DIR/agent-run" "state_dir $PG_DIR/agent-state" >>/etc/ve-agentd.conf
VE_FAKE_DIR=$PG_DIR/fake "$NODE_BIN" -c /etc/ve-agentd.conf >>"$PG_DIR/agentd.log" 2>&1 &
echo $! >"$PG_DIR/agentd.pid"
NODE_PORT=$PORT_BASE
ok 'its agent starts' await 60 node_ready
api POST /admin/pools '{"range":"10.77.0.0/24","block_len":"28"}'
is 'the operator adds a pool' "$STATUS" 201
JAR=$PG_DIR/jar2
known() { [ "$(pg_sql "select count(*) from ve.node where seen_at is not null")" = 1 ]; }
ok 'the node is known' await 60 known
signup ann@example.net
ok "and carries a stranger's VE" await 60 ve_is 1000 running ||
  pg_sql 'select state, state_error from ve.ve; select kind, state, error from ve.job' | sed 's/^/# /'
tap_end
