#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The web part, the database, the agent and the job daemon die by kill -9 in the middle of
# sign-ups: who was told "yes" is there, whole; who was not may try again.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/stack.sh
pg_sql "update ve.rate_rule set most = 1000000" >/dev/null

ask() {
  curl -s --max-time 40 --cacert "$PG_DIR/pki/ca.crt" -b "$PG_DIR/jar-$who" -c "$PG_DIR/jar-$who" "$@"
}
# One person by the API; "yes EMAIL" when it was acknowledged.
one() {
  who=$1
  token=$(ask "$URL/api/v1/session" | sed -n 's/.*"csrf":"\([^"]*\)".*/\1/p')
  code=$(ask -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -H "X-CSRF-Token: $token" \
    -d "{\"email\":\"$who@example.net\",\"password\":\"correct horse\",\"template\":\"tiny\"}" \
    "$URL/api/v1/accounts")
  if [ "$code" = 201 ]; then echo "yes $who@example.net"; else echo "no $who $code"; fi
}
# crowd NAME COUNT: many at once, what they were told to $PG_DIR/told
crowd() {
  CROWD=
  for i in $(seq "$2"); do
    one "$1$i" >>"$PG_DIR/told" &
    CROWD="$CROWD $!"
  done
}
in_base() { [ "$(pg_sql "select count(*) from ve.subscriber where email like '$1%'")" -ge "$2" ]; }
whole() {
  pg_sql "select count(*) from ve.subscriber s where role = 'subscriber' and (
      (select count(*) from ve.ve v where v.subscriber_id = s.id and deleted_at is null) <> 1
      or not exists (select from ve.credential c where c.subscriber_id = s.id)
      or not exists (select from ve.job j join ve.ve v using (veid) where v.subscriber_id = s.id))"
}

: >"$PG_DIR/told"
for victim in web base agent daemon; do
  crowd "$victim" 8
  await 60 in_base "$victim" 2
  ALIVE=$(running)
  case $victim in
    web) kill -9 "$(pgrep -P "$(cat "$PG_DIR/portald1.pid")" -f 'P web')" ;;
    base) pg_kill ;;
    agent)
      kill -9 "$(cat "$PG_DIR/agentd.pid")"
      wait "$(cat "$PG_DIR/agentd.pid")" 2>/dev/null
      ;;
    daemon) kill -9 "$(cat "$PG_DIR/jobd1.pid")" ;;
  esac
  case $victim in
    base) pg_up ;;
    agent) node_start || exit 1 ;;
    daemon) jobd_start 2 ;;
  esac
  portal_wait "$URL"
  # shellcheck disable=SC2086
  wait $CROWD
  echo "# $(grep -c "^yes $victim" "$PG_DIR/told") of 8 were acknowledged"
  said=$(grep -c "^yes $victim" "$PG_DIR/told")
  ok "some were acknowledged beside the death of the $victim" test "$said" -gt 0
  is "after the death of the $victim all that was acknowledged is there" \
    "$(sed -n "s/^yes \($victim.*\)/\1/p" "$PG_DIR/told" | while read -r who; do
      pg_sql "select 1 from ve.subscriber where email = '$who'"
    done | grep -c 1)" "$said"
  holds "no address is anybody else's after it, and what ran runs"
  is 'everybody who is there is whole' "$(whole)" 0
  is 'the places add up' "$(pg_sql "select placed from ve.node where id = 'n1'")" \
    "$(pg_sql "select count(*) from ve.ve where deleted_at is null")"
done
pg_sql "update ve.job set locked_until = now() where state = 'running'" >/dev/null
all_run() { [ "$(pg_sql "select count(*) from ve.ve where state <> 'running'")" = 0 ]; }
ok 'and every one of them runs in the end' await 60 all_run
is 'with no address twice' "$(pg_sql "select count(*) from ve.audit where action = 'lease.alarm'")" 0
is 'and a whole audit chain' "$(pg_sql 'select ve.audit_verify() is null')" t
tap_end
