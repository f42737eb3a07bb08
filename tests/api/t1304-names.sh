#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Names of VEs in a real DNS server (knot), by signed updates: come, change hands, and go; a server that is away or
# knows another key.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/pg.sh
. tests/lib/portal.sh
. tests/lib/node.sh
[ -x /usr/sbin/knotd ] && command -v kdig >/dev/null || { echo '1..0 # SKIP needs knot and knot-dnsutils'; exit 0; }
trap portal_cleanup EXIT
portal_setup || exit 1
DNS_PORT=$((PORT_BASE + 61))
secret=$(openssl rand -base64 32)
echo "hmac-sha256:vestibule:$secret" >"$PG_DIR/dns.key"
chmod a+r "$PG_DIR/dns.key"
mkdir "$PG_DIR/knot"
cat >"$PG_DIR/knot/ve.example.zone" <<T
ve.example. 60 SOA ns.ve.example. hostmaster.ve.example. 1 3600 600 86400 60
ve.example. 60 NS ns.ve.example.
ns.ve.example. 60 A 127.0.0.1
T
knot_conf() { # secret
  cat >"$PG_DIR/knot/knot.conf" <<T
server:
    listen: 127.0.0.1@$DNS_PORT
    rundir: $PG_DIR/knot
database:
    storage: $PG_DIR/knot
key:
  - id: vestibule
    algorithm: hmac-sha256
    secret: $1
acl:
  - id: names
    key: vestibule
    action: update
zone:
  - domain: ve.example
    storage: $PG_DIR/knot
    acl: names
T
}
knot_start() {
  /usr/sbin/knotd -c "$PG_DIR/knot/knot.conf" >>"$PG_DIR/knot.log" 2>&1 &
  echo $! >"$PG_DIR/knot.pid"
  await 60 says ns A 127.0.0.1
}
knot_stop() { kill "$(cat "$PG_DIR/knot.pid")" && wait "$(cat "$PG_DIR/knot.pid")" 2>/dev/null; }
ask() { kdig "@127.0.0.1" -p "$DNS_PORT" +tcp +timeout=2 +retry=0 +short "$1.ve.example" "$2"; }
says() { [ "$(ask "$1" "$2" 2>/dev/null)" = "$3" ]; }
logged() { grep -q "$1" "$PG_DIR/jobd1.log"; }
ipv6_of() { pg_sql "select host(ipv6) from ve.ve where veid = $1"; }

knot_conf "$secret"
knot_start
portal_node 100
pg_sql "select ve.pool_install('fd00:77::/64', 128)" >/dev/null
# nobody drives this node here: what its agent would say is said for it
fresh() { pg_sql "select ve.node_fact('n1', '{}')" >/dev/null; }
see() { fresh; pg_sql "update ve.ve set state = 'running', state_ipv4 = $2 where veid = $1" >/dev/null; }
portal_start 1 && jobd_start 1 || exit 1
signup ann@example.net
ok 'a VE has a name by its number' await 60 says ve1000 AAAA "$(ipv6_of 1000)"
see 1000 "'10.77.0.5'"
ok 'with the address that it is lent' await 60 says ve1000 A 10.77.0.5
is 'for less time than an address rests' "$(kdig @127.0.0.1 -p "$DNS_PORT" +noall +answer ve1000.ve.example A | awk '{ print $2 }')" 30
see 1000 null
ok 'and without it when it is not' await 60 says ve1000 A ''
is 'the one for life stays' "$(ask ve1000 AAAA)" "$(ipv6_of 1000)"
see 1000 "'10.77.0.5'"
await 60 says ve1000 A 10.77.0.5
pg_sql "update ve.node set seen_at = now() - interval '5 minutes'" >/dev/null
ok 'of a node that is not heard of nobody knows what it lends' await 60 says ve1000 A ''
fresh

# a name changes hands
api POST /ves/1000/name '{"name":"annes-box"}'
ok 'a new name is there' await 60 says annes-box AAAA "$(ipv6_of 1000)"
ok 'the old one is not' await 60 says ve1000 AAAA ''
api POST /ves/1000/name '{"name":"www"}'
is 'a reserved name is refused' "$STATUS" 422
is 'and nobody hears of it' "$(ask www AAAA)" ''
JAR=$PG_DIR/jar-bob API_CSRF=
fresh
signup bob@example.net
api POST /ves/1001/name '{"name":"annes-box"}'
is 'so is one that is taken' "$STATUS" 409
is 'which leads where it did' "$(ask annes-box AAAA)" "$(ipv6_of 1000)"
JAR=$PG_DIR/jar API_CSRF=
api POST /ves/1000/name '{"name":"annes-other"}'
JAR=$PG_DIR/jar-bob API_CSRF=
api POST /ves/1001/name '{"name":"annes-box"}'
is 'a name that is given up may be taken' "$STATUS" 200
ok 'and leads to who took it' await 60 says annes-box AAAA "$(ipv6_of 1001)"
is 'the other to its own' "$(ask annes-other AAAA)" "$(ipv6_of 1000)"

# the server goes, and comes back with another key
knot_stop
api POST /ves/1001/name '{"name":"bobs-box"}'
ok 'a server that is away is said once' await 60 logged 'names are not told to 127.0.0.1:'
knot_conf "$(openssl rand -base64 32)"
: >"$PG_DIR/jobd1.log"
knot_start
is 'what it does not know it does not say' "$(ask bobs-box AAAA)" ''
kill "$(cat "$PG_DIR/jobd1.pid")"; wait "$(cat "$PG_DIR/jobd1.pid")" 2>/dev/null
fresh
jobd_start 1
ok 'another key is said in words' await 60 logged 'bad signature'
is 'and changes nothing' "$(ask bobs-box AAAA)" ''
knot_stop
knot_conf "$secret"
knot_start
ok 'with the right one it hears what it missed' await 60 says bobs-box AAAA "$(ipv6_of 1001)"
ok 'what is gone as well' await 60 says annes-box AAAA ''
pg_sql "update ve.ve set desired = 'deleted', deleted_at = now() where veid = 1001" >/dev/null
ok 'a VE that is deleted has no name' await 60 says bobs-box AAAA ''
is 'and the database knows what the server says' "$(pg_sql "select string_agg(name, ' ') from ve.dns_name")" annes-other
echo 'hmac-sha256:vestibule:%%%' >"$PG_DIR/dns.key"
like 'a key that is none stops the daemon at its start' "$(timeout 10 "$BIN/ve-jobd" -c "$PG_DIR/jobd.conf" 2>&1)" 'a key is hmac-sha256:NAME:BASE64'
sed -i '/^dns_zone/d' "$PG_DIR/jobd.conf"
like 'so does a zone that is not said' "$("$BIN/ve-jobd" -t -c "$PG_DIR/jobd.conf" 2>&1)" "dns_server is there, but .*jobd.conf: 'dns_zone' is missing"
tap_end
