#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two nodes and one pool: the data base's clock is set, one node is cut off and its block goes to the other, it comes
# back, and the other gives a block up for it, while the daemon that asks for it dies.  Nobody ever has an address that
# another one has.
cd "$(dirname "$0")/../.." || exit 1
JOBD=ve-jobd-failing
. tests/lib/tap.sh
. tests/lib/pg.sh
. tests/lib/portal.sh
. tests/lib/node.sh
STOPPED=
go_on() { [ -z "$STOPPED" ] || kill -CONT "$STOPPED"; STOPPED=; }
trap 'go_on; portal_cleanup' EXIT
AGENT_CONF='quarantine_ms 200'
portal_setup && node_start || exit 1
pg_sql "delete from ve.pool where family(range) = 4; select ve.pool_install('10.77.0.0/30', 31)" >/dev/null

# n2, beside n1
pki_issue node-n2 URI:urn:vestibule:node:n2
mkdir -p "$PG_DIR/fake2" "$PG_DIR/private2"
port2=$((PORT_BASE + 20))
sed "s|^node n1|node n2|; s|:$NODE_PORT\$|:$port2|; s|node-n1|node-n2|; s|agent-state|agent-state2|; s|agent-run|agent-run2|; s|/private\$|/private2|" \
  "$PG_DIR/agentd.conf" >"$PG_DIR/agentd2.conf"
VE_FAKE_DIR=$PG_DIR/fake2 "$NODE_BIN" -c "$PG_DIR/agentd2.conf" >>"$PG_DIR/agentd2.log" 2>&1 &
echo $! >"$PG_DIR/agentd2.pid"
ready2() { NODE_PORT=$port2 node_ready; }
await 60 ready2 || { cat "$PG_DIR/agentd2.log" >&2; exit 1; }
pg_sql "select ve.node_install('n2', 'https://127.0.0.1:$port2', '$(cat "$PG_DIR/grant")', 100)" >/dev/null
jobd_start 1 && portal_start 1 || exit 1

place() { pg_sql "update ve.node set capacity = placed + case id when '$1' then 10 else 0 end" >/dev/null; }
# new NAME NODE: a subscriber whose VE is there; $VEID
new() {
  place "$2"
  JAR=$PG_DIR/jar-$1 API_CSRF=
  signup "$1@example.net"
  VEID=$(pg_sql "select veid from ve.ve v join ve.subscriber s on s.id = v.subscriber_id where email = '$1@example.net'")
  await 60 ve_is "$VEID" running
  is "$1's VE is on $2" "$(pg_sql "select node_id from ve.ve where veid = $VEID")" "$2"
}
seen2() { [ "$(pg_sql "select count(*) from ve.node where seen_at > now() - interval '20 s'")" = 2 ]; }
ip_of() { pg_sql "select host(address) from ve.lease where veid = $1 and upper_inf(during)"; }
has_ip() { [ -n "$(ip_of "$1")" ]; }
lent() { pg_sql "select string_agg(node_id || ' ' || range, ', ' order by node_id, range) from ve.block where upper(term) > now() + interval '60 s'"; }
lent_is() { [ "$(lent)" = "$1" ]; }
in_kernel() { find "$PG_DIR/$1" -name 'addr-10.*' | wc -l; }
# of both nodes; $CUT: no word of n1's agent, which is not at rest
both() {
  if [ -n "${CUT:-}" ]; then one=; else one="--db $PG_DIR/agent-state/api/agent.db"; fi
  # shellcheck disable=SC2086
  tests/lib/invariants --pg "$PG_URL" --node n1 --fake "$PG_DIR/fake" $one --alive "$ann" \
    --node n2 --fake "$PG_DIR/fake2" --db "$PG_DIR/agent-state2/api/agent.db" --alive "$ALIVE"
}
holds_both() { if await 60 both; then tap_say 0 "$1"; else both | sed 's/^/# /'; tap_say 1 "$1"; fi; }

await 60 seen2
new ann n1; ann=$VEID
ok 'it has an address' await 60 has_ip "$ann"
new bob n2; bob=$VEID
new bert n2; bert=$VEID
ok 'the others too' await 60 has_ip "$bob"
ok 'both' await 60 has_ip "$bert"
mine=$(ip_of "$ann")
blocks=$(lent)
like 'each node has one block' "$blocks" '^n1 10.77.0.[02]/31, n2 10.77.0.[02]/31$'
ALIVE=$bob,$bert
holds_both 'the invariants hold'

# the data base's clock goes forward by an hour: all that it wrote is an hour old
ids=$(pg_sql 'select array_agg(id order by id) from ve.block')
pg_sql "begin;
  update ve.clock set base = base - interval '1 hour', at = at - interval '1 hour';
  update ve.block set term = tstzrange(lower(term) - interval '1 hour', upper(term) - interval '1 hour');
  update ve.lease set during = tstzrange(lower(during) - interval '1 hour', upper(during) - interval '1 hour');
  commit" >/dev/null
stepped() { grep -q 'clock of the data base has gone forward by' "$PG_DIR/jobd1.log"; }
ok 'the clock of the data base is set: the daemon sees it' await 60 stepped
ok 'the blocks are lent as they were' await 60 lent_is "$blocks"
is 'the same ones' "$(pg_sql 'select array_agg(id order by id) from ve.block')" "$ids"
is 'and the address is the same' "$(ip_of "$ann")" "$mine"
holds_both 'the invariants hold after it'

# n1 is cut off: nobody hears of it, it hears of nobody
new ben n2; ben=$VEID
ALIVE=$bob,$bert,$ben
STOPPED=$(pgrep -P "$(cat "$PG_DIR/agentd.pid")" -f -- '-P api')
kill -STOP "$STOPPED"
CUT=1
let_go() { [ "$(in_kernel fake)" = 0 ]; }
ok 'a node that is cut off takes its addresses out by itself' await 90 let_go
ok 'its block is not lent by then' test -z "$(pg_sql "select 1 from ve.block where range >>= '$mine' and node_id = 'n2'")"
pg_sql "update ve.block set term = tstzrange(lower(term), now()) where node_id = 'n1'" >/dev/null # the rest of the term goes by
ok 'then the other node has the block' await 60 lent_is 'n2 10.77.0.0/31, n2 10.77.0.2/31'
ok 'and who waited there an address of it' await 60 has_ip "$ben"
holds_both 'nobody else has it'
go_on
CUT=
waits() { [ "$(pg_sql "select waiting from ve.ve where veid = $ann")" = 1 ]; }
ok 'the node is back: its VE waits for an address' await 60 waits
is 'and runs' "$(ve_state "$ann")" running
holds_both 'the invariants hold when it is back'

# n2 has more than it needs now, and n1 nothing
JAR=$PG_DIR/jar-ben API_CSRF=
api POST "/ves/$ben/actions" '{"action":"stop"}'
ok 'one leaves' await 60 ve_is "$ben" stopped
ALIVE=$bob,$bert
over() { ! has_ip "$ben"; }
ok 'its lease is over' await 60 over
unlike 'which is too lately for its block' "$(cat "$PG_DIR/jobd1.log")" 'gives block'
mkdir -p "$PG_DIR/points"
chmod 777 "$PG_DIR/points"
: >"$PG_DIR/points/fail-block-given"
pg_sql "begin;
  update ve.block set term = tstzrange(lower(term) - interval '1 day', upper(term) - interval '1 day') where upper(term) <= now();
  update ve.block set term = tstzrange(lower(term) - interval '10 minutes', upper(term)) where upper(term) > now();
  update ve.lease set during = tstzrange(lower(during) - interval '10 minutes', upper(during) - interval '10 minutes') where not upper_inf(during);
  commit" >/dev/null # ten minutes go by
died() { [ ! -e "$PG_DIR/points/fail-block-given" ] && ! kill -0 "$(cat "$PG_DIR/jobd1.pid")" 2>/dev/null; }
ok 'who asks for a block back dies when the node has given it' await 90 died
wait "$(cat "$PG_DIR/jobd1.pid")"
jobd_start 1
gives() { grep -q 'node n2 gives block [0-9]* back' "$PG_DIR/jobd1.log"; }
ok 'who can spare a block gives it back' await 90 gives
is 'where it is in quarantine' "$(lent)" "n2 $(pg_sql "select range from ve.block where range >>= '$(ip_of "$bob")' and upper(term) > now()")"
pg_sql "update ve.block set term = tstzrange(lower(term), now()) where upper(term) <= now() + interval '60 s' and upper(term) > now()" >/dev/null # of a minute
ok 'and then whose it was not is lent it: the VE has an address again' await 60 has_ip "$ann"
like 'of the block that was given back' "$(lent)" '^n1 10.77.0.[02]/31, n2 10.77.0.[02]/31$'
holds_both 'and the invariants hold'
is 'all of it without an alarm' "$(pg_sql "select count(*) from ve.audit where action = 'lease.alarm'")" 0
is 'and in a whole audit chain' "$(pg_sql 'select ve.audit_verify() is null')" t
tap_end
