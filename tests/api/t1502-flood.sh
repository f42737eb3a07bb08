#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A flood of visits to VEs that sleep, on a node that takes its time: those that are awake are served, so are the
# sleepers of another node, and who finds no room is told so.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/stack.sh
tests/api/httpd.py >"$PG_DIR/httpd.port" 2>"$PG_DIR/httpd.log" &
echo $! >"$PG_DIR/httpd.pid"
await 60 test -s "$PG_DIR/httpd.port"
portal=$((PORT_BASE + 1)) slow=$((PORT_BASE + 62))
visit() {
  curl -s --max-time 60 --cacert "$PG_DIR/pki/ca.crt" --resolve "$1.ve.localhost:$portal:127.0.0.1" \
    -o /dev/null -w '%{http_code}' "https://$1.ve.localhost:$portal/"
}
idle() { [ "$(pg_sql "select count(*) from ve.job where veid in (1000, 1001) and state in ('queued', 'running')")" = 0 ]; }
named() { # NAME: the VE in $JAR, with the web server's port
  api POST "/ves/$1/name" "{\"name\":\"$2\",\"port\":\"$(cat "$PG_DIR/httpd.port")\"}"
}

signup ann@example.net
await 60 ve_is 1000 running
named 1000 awake
JAR=$PG_DIR/jar-bob API_CSRF=
signup bob@example.net
await 60 ve_is 1001 running
named 1001 sleepy
await 60 idle
api POST /ves/1001/actions '{"action":"idle"}'
await 60 ve_is 1001 frozen
await 60 idle

# a node whose agent takes connections and says nothing
/usr/bin/python3 -c 'import socket, sys
s, kept = socket.create_server(("127.0.0.1", int(sys.argv[1]))), []
while True: kept.append(s.accept())' "$slow" &
echo $! >"$PG_DIR/slow.pid"
pg_sql "select ve.node_install('n2', 'https://127.0.0.1:$slow', repeat('cd', 32), 1000);
  update ve.rate_rule set most = 100000 where kind = 'wake';
  insert into ve.subscriber (email) select 's' || i || '@example.net' from generate_series(1, 40) i;
  insert into ve.ve (subscriber_id, node_id, template, plan, hostname, state, expires_at)
    select id, 'n2', 'tiny', 'trial', split_part(email, '@', 1), 'frozen', now() + interval '1 day'
      from ve.subscriber where email like 's%'" >/dev/null
is 'before, who is awake is served' "$(visit awake)" 200
tests/api/flood.py "$portal" "$PG_DIR/pki/ca.crt" 300 8 40 >"$PG_DIR/flood" 2>"$PG_DIR/flood.log" &
echo $! >"$PG_DIR/flood.pid"
ok '300 visits to sleepers: half of all places wait, the others are told at once' await 60 grep -q 'waiting 256 refused 44 other 0' "$PG_DIR/flood"
is 'meanwhile who is awake is served' "$(visit awake)" 200
is 'every time' "$(visit awake)$(visit awake)$(visit awake)" 200200200
is 'the portal too' "$(curl -s -o /dev/null -w '%{http_code}' --cacert "$PG_DIR/pki/ca.crt" "$URL/login")" 200
is 'who sleeps has to come again' "$(visit sleepy)" 503
kill "$(cat "$PG_DIR/flood.pid")" && wait "$(cat "$PG_DIR/flood.pid")" 2>/dev/null
rm "$PG_DIR/flood.pid"

# fewer: the slow node's visitors wait, and nobody else
tests/api/flood.py "$portal" "$PG_DIR/pki/ca.crt" 100 8 40 >"$PG_DIR/flood2" 2>"$PG_DIR/flood.log" &
echo $! >"$PG_DIR/flood.pid"
settled() { [ "$(visit sleepy)" = 200 ]; }
ok 'a sleeper of a node that answers is woken beside them' await 60 settled
is 'and is awake' "$(ve_state 1001)" running
tap_end
