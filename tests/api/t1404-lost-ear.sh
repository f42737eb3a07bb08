#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A portal that lost its ear for a moment does not miss what was said: it checks
# every open terminal when it hears again.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/stack.sh

cookie() { printf '__Host-ve=%s' "$(grep '__Host-ve	' "$JAR" | cut -f7)"; }
# open FILE OP...: a terminal in the background, what it says to FILE
open() {
  file=$1
  shift
  API_CSRF=
  api POST /ves/1000/tickets
  ticket=$(printf '%s' "$BODY" | sed -n 's/.*"ticket":"\([^"]*\)".*/\1/p')
  "$BIN/wsclient" "$PG_DIR/pki/ca.crt" "${URL##*:}" /ves/1000/terminals/main/ws "$URL" "$(cookie)" \
    "auth:$ticket" hello "$@" >"$file" &
  waiter=$!
  await 60 grep -q hello "$file"
}
deafen() {
  pg_sql "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 've-portald ear'" >/dev/null
}

signup ann@example.net
await 60 ve_is 1000 running
open "$PG_DIR/one" 'input:echo o""ne; sleep 2; echo t""wo\n' until:two
deafen
wait "$waiter"
is 'who may stay stays' "$(tail -1 "$PG_DIR/one")" seen
await 60 portal_wait "$URL"

open "$PG_DIR/two" close
pg_sql "update ve.session set ended_at = now() where ended_at is null" >/dev/null
deafen
wait "$waiter"
is 'whose session ended unheard goes' "$(tail -1 "$PG_DIR/two")" 'close 4401'
await 60 portal_wait "$URL"

login ann@example.net
export PATIENCE=90
open "$PG_DIR/time" close
pg_sql "update ve.session set expires_at = now() where ended_at is null" >/dev/null
wait "$waiter"
is 'whose session ended by its time goes, though nobody says so' "$(tail -1 "$PG_DIR/time")" 'close 4401'

login ann@example.net
open "$PG_DIR/three" close
pg_sql "update ve.subscriber set suspended_at = now(), suspended_why = 'x' where email = 'ann@example.net'" >/dev/null
deafen
wait "$waiter"
is 'who was suspended unheard goes' "$(tail -1 "$PG_DIR/three")" 'close 4403'
tap_end
