#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A node in somebody else's hands answers anything: the job daemon lives on, and serves the others.  n1 is
# the real agent, n2 the one that lies.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/stack.sh
odd=$PG_DIR/odd
mkdir "$odd"
ask() { cat >"$odd/new" && : >"$odd/asked" && mv "$odd/new" "$odd/$1"; }
asked() { [ "$(grep -c "$1" "$odd/asked")" -ge "$2" ]; }
refused() { grep -q "node n2: $1" "$PG_DIR/jobd1.log"; }
alive() { kill -0 "$(cat "$PG_DIR/jobd1.pid")"; }

pki_issue node-n2 URI:urn:vestibule:node:n2
echo '{"items":[]}' | ask ves
echo '{"nonce":"a","leases":[],"released":[]}' | ask block
tests/api/noded.py $((PORT_BASE + 30)) "$PG_DIR/pki" "$odd" >"$PG_DIR/noded.log" 2>&1 &
echo $! >"$PG_DIR/noded.pid"
pg_sql "select ve.node_install('n2', 'https://127.0.0.1:$((PORT_BASE + 30))', repeat('cd', 32), 100);
        update ve.node set capacity = 0 where id = 'n2'" >/dev/null
ok 'a node answers' await 60 asked 'GET /v1/ves' 2
unlike 'what it may' "$(cat "$PG_DIR/jobd1.log")" 'n2: .*refused'
ok 'it takes a block' await 60 asked 'PUT /v1/blocks' 2
is 'and its answer is written down' "$(pg_sql "select nonce from ve.block where node_id = 'n2'")" a

echo '{"nonce":"b","leases":null,"released":[]}' | ask block
ask ves <<LISTS
{"items":null}
{"items":5}
{"items":{"0":1}}
null
[]
{"items":
{"items":[],"next":"x"}
{"items":[],"next":0}
{"items":[$(seq -s, 200)]}
{"items":[null,5,{"veid":1000,"status":5}]}
{"items":[],"next":7}
LISTS
ok 'lists that are none' await 60 asked 'GET /v1/ves' 16
ok 'are survived' alive
ok 'and refused' refused 'its list of VEs is refused: "items" is '
ok 'as is one that turns in a circle' refused '.*"next" does not rise'
ok 'it is asked for twice, not for ever' test "$(grep -c after=7 "$odd/asked")" -le "$(grep -c after=0 "$odd/asked")"
echo '{"items":[]}' | ask ves
await 60 asked 'GET /v1/ves' 2
echo endless | ask ves
ok 'and one without end' await 60 refused '.*more than 67108864 bytes'
echo '{"items":[]}' | ask ves
ok 'a block'"'"'s leases that are none' await 60 refused 'block [0-9]*: '
is 'are not written down' "$(pg_sql "select nonce from ve.block where node_id = 'n2'")" a
ok 'the daemon is there' alive
signup ann@example.net
ok 'and the other node is served' await 60 ve_is 1000 running
tap_end
