#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A terminal is open while each process of the house dies by kill -9: the shell lives through all of it, and what
# it does goes on.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/stack.sh
pg_sql "update ve.rate_rule set most = 1000000" >/dev/null

cookie() { printf '__Host-ve=%s' "$(grep '__Host-ve	' "$JAR" | cut -f7)"; }
ticket() {
  API_CSRF=
  api POST /ves/1000/tickets
  TICKET=$(printf '%s' "$BODY" | sed -n 's/.*"ticket":"\([^"]*\)".*/\1/p')
}
ws() {
  "$BIN/wsclient" "$PG_DIR/pki/ca.crt" "${URL##*:}" /ves/1000/terminals/main/ws "$URL" "$(cookie)" "$@"
}
shown() { tr -d '\000' <"$PG_DIR/shown" | grep -q "$1"; }
# open: a terminal whose keys are descriptor 9 and whose screen is in $PG_DIR/shown
open() {
  ticket
  rm -f "$PG_DIR/keys"
  mkfifo "$PG_DIR/keys"
  ws "auth:$TICKET" pipe <"$PG_DIR/keys" >"$PG_DIR/shown" 2>&1 &
  CLIENT=$!
  exec 9>"$PG_DIR/keys"
  await 60 shown '#'
}
answers() { # WORD: what is typed is answered
  printf 'echo %s-$((40+2))\n' "$1" >&9
  await 60 shown "$1-42"
}
agent_part() { pgrep -f "ve-agentd.* -P $1 -c $PG_DIR/agentd.conf" | head -1; }

signup ann@example.net
await 60 ve_is 1000 running
ok 'a terminal is open' open
ok 'and answers' answers first
printf '(while [ ! -e %s/go ]; do sleep 0.1; done; echo fin""ished) &\n' "$PG_DIR" >&9

kill -9 "$(cat "$PG_DIR/jobd1.pid")"
ok 'without a job daemon it answers' answers daemon
jobd_start 2
kill -9 "$(agent_part priv)"
ok "while the agent's priv begins anew too" answers priv
pg_kill
ok 'without a database too' answers base
pg_up
exec 9>&- # half a minute without a database ends the stream
kill "$CLIENT" 2>/dev/null
portal_wait "$URL"
ok 'with the database back it is opened again' open

# who carries the stream takes it along, and not the shell
gone() { ! kill -0 "$CLIENT" 2>/dev/null; }
die() { # PART
  case $1 in
    web | front) kill -9 "$(pgrep -P "$(cat "$PG_DIR/portald1.pid")" -f "P $1")" ;;
    api) kill -9 "$(agent_part api)" ;;
  esac
}
for part in web front api; do
  die $part
  ok "with $part the stream ends" await 60 gone
  exec 9>&-
  await 60 node_ready && portal_wait "$URL"
  ok 'it is opened again, where it was' open
  ok 'with all that was shown' await 60 shown first-42
  ok 'and answers' answers "after-$part"
done
: >"$PG_DIR/go"
ok 'the work that was under way has finished' await 60 shown finished
exec 9>&-
kill "$CLIENT" 2>/dev/null
tap_end
