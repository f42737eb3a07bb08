#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# New certificates on SIGHUP: visitors and agents are shown them, nothing that is open ends, bad ones change nothing.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/stack.sh
pki=$PG_DIR/pki
portald=$(cat "$PG_DIR/portald1.pid") jobd=$(cat "$PG_DIR/jobd1.pid")

renew() { # NAME SAN: NAME.crt and NAME.key anew
  (
    cd "$pki" || exit
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1"
    printf 'subjectAltName=%s\n' "$2" >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile "$1.ext" -out "$1.crt"
    chmod a+r "$1.key"
  ) >>"$PG_DIR/pki.log" 2>&1
}
print_of() { openssl x509 -noout -fingerprint -sha256; }
shown() { openssl s_client -connect "127.0.0.1:$((PORT_BASE + 1))" </dev/null 2>/dev/null | print_of; }
is_shown() { [ "$(shown)" = "$(print_of <"$pki/portal.crt")" ]; }
web=$(pgrep -P "$portald" | sort | tr '\n' ' ')

signup ann@example.net
await 60 ve_is 1000 running

cookie() { printf '__Host-ve=%s' "$(grep '__Host-ve	' "$JAR" | cut -f7)"; }
ticket() {
  API_CSRF=
  api POST /ves/1000/tickets
  TICKET=$(printf '%s' "$BODY" | sed -n 's/.*"ticket":"\([^"]*\)".*/\1/p')
}
ws() { # NAME OP...
  name=$1
  shift
  "$BIN/wsclient" "$PG_DIR/pki/ca.crt" "${URL##*:}" "/ves/1000/terminals/$name/ws" "$URL" "$(cookie)" "$@"
}
opens() {
  ticket
  ws "$1" "auth:$TICKET" hello | grep -q ^hello
}
refused() { ! opens "$1"; }

# a terminal that is open all the while
ticket
ws kept "auth:$TICKET" hello "input:until [ -e $PG_DIR/go ]; do sleep 0.1; done; echo st\"\"ill\n" until:still >"$PG_DIR/kept" &
kept=$!
attached() { grep -q hello "$PG_DIR/kept"; }
ok 'a terminal is open' await 60 attached

# what visitors see
old=$(shown)
renew portal DNS:localhost,IP:127.0.0.1
is 'without a signal nothing changes' "$(shown)" "$old"
kill -HUP "$portald"
ok 'after SIGHUP visitors see the new certificate' await 60 is_shown
new=$(shown)
cp "$pki/portal.key" "$PG_DIR/good.key"
cp "$pki/terminal.key" "$pki/portal.key"
kill -HUP "$portald"
said() { grep -q 'certificates stay as they were: the key' "$PG_DIR/portald1.log"; }
ok 'a key of another certificate is refused in the log' await 60 said
is 'and changes nothing' "$(shown)" "$new"
rm "$pki/portal.key"
kill -HUP "$portald"
said() { grep -q 'front keeps its certificates: .*portal.key: No such file' "$PG_DIR/portald1.log"; }
ok 'nor does a missing file' await 60 said
is 'change anything' "$(shown)" "$new"
mv "$PG_DIR/good.key" "$pki/portal.key"

# what agents are shown: a role that opens nothing proves that the new one is used
renew terminal URI:urn:vestibule:role:metrics
kill -HUP "$portald"
ok 'agents are shown the new one too: one of another role opens nothing' await 60 refused second
renew terminal URI:urn:vestibule:role:terminal
kill -HUP "$portald"
ok 'and the right one opens' await 60 opens second
renew control URI:urn:vestibule:role:metrics
kill -HUP "$jobd"
said() { grep -q 'node n1: /v1/.*: 403' "$PG_DIR/jobd1.log"; }
ok 'so does the job daemon: one of another role is told nothing' await 60 said
pg_sql "update ve.node set seen_at = now() - interval '1 hour'" >/dev/null
renew control URI:urn:vestibule:role:control
kill -HUP "$jobd"
ok 'and the right one hears of the node' await 60 node_seen

: >"$PG_DIR/go"
wait "$kept"
like 'the terminal that was open is still' "$(cat "$PG_DIR/kept")" seen
is 'no part was started anew' "$(pgrep -P "$portald" | sort | tr '\n' ' ')" "$web"
tap_end
