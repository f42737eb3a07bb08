#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ssh to the same VE: Debian's sshd, ve-keys, ve-shell, the agent.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/pg.sh
. tests/lib/portal.sh
. tests/lib/node.sh
if [ ! -x /usr/sbin/sshd ] || ! ldconfig -p | grep -q libnss_wrapper; then
  echo '1..0 # SKIP needs sshd and libnss-wrapper'
  exit 0
fi
trap portal_cleanup EXIT
portal_setup && node_start && jobd_start 1 && portal_start 1 && sshd_start || exit 1

SSH_KEY=$PG_DIR/id
ssh-keygen -q -t ed25519 -N '' -C laptop -f "$SSH_KEY"
signup ann@example.net
await 60 ve_is 1000 running
ok 'a key that nobody knows is refused' test "$(ssh_ve ve@127.0.0.1 true 2>&1 | grep -c 'Permission denied')" = 1
http GET /ves/1000
csrf
http POST /keys --data-urlencode "csrf=$CSRF" --data-urlencode "key=$(cat "$SSH_KEY.pub")"
is 'a key is left on the page' "$STATUS" 303
is 'a command runs' "$(ssh_ve ve@127.0.0.1 'echo $((6*7))')" 42
ssh_ve ve@127.0.0.1 'exit 42'
is 'its status comes back' $? 42
is 'its errors come apart' "$(ssh_ve ve@127.0.0.1 'echo good; echo bad >&2' 2>/dev/null)" good
is 'input reaches it, and its end' "$(printf 'a\nb\nc\n' | ssh_ve ve@127.0.0.1 'wc -l' | tr -d ' ')" 3
head -c 3000000 /dev/urandom >"$PG_DIR/big"
is 'three million bytes go there and back whole' \
  "$(ssh_ve ve@127.0.0.1 cat <"$PG_DIR/big" | sha256sum)" "$(sha256sum <"$PG_DIR/big")"
is 'a shell without a terminal reads commands' "$(echo 'echo fr""om' | ssh_ve -T ve@127.0.0.1)" from
like 'a terminal is one' "$(printf 'stty size; tty; exit 5\n' | ssh_ve -tt ve@127.0.0.1)" '[0-9]+ [0-9]+'
out=$(ssh_ve -tt ve@127.0.0.1 'test -t 0 && test -t 1 && echo on-a-$((6*7)); exit 9' </dev/null)
is 'a command that asks for a terminal has one, and its status' "$?,$(printf %s "$out" | tr -d '\r')" 9,on-a-42
is 'without one it has none' "$(ssh_ve ve@127.0.0.1 'test -t 0 || echo none')" none
# shellcheck disable=SC2086
scp $SSH_OPTS -O -q -i "$SSH_KEY" -P "$SSH_PORT" "$PG_DIR/big" ve@127.0.0.1:"$PG_DIR/copied"
ok 'scp copies' cmp -s "$PG_DIR/big" "$PG_DIR/copied"
if [ -x /usr/lib/openssh/sftp-server ]; then
  # shellcheck disable=SC2086
  scp $SSH_OPTS -q -i "$SSH_KEY" -P "$SSH_PORT" "$PG_DIR/big" ve@127.0.0.1:"$PG_DIR/copied2"
  ok 'so does sftp' cmp -s "$PG_DIR/big" "$PG_DIR/copied2"
fi
like 'nothing is forwarded' "$(ssh_ve -o ExitOnForwardFailure=yes -R 0:127.0.0.1:1 ve@127.0.0.1 true 2>&1; echo "status $?")" 'status 255'

api POST /ves/1000/actions '{"action":"stop"}'
await 60 ve_is 1000 stopped
idle() { [ "$(pg_sql "select count(*) from ve.job where state in ('queued', 'running')")" = 0 ]; }
await 60 idle
is 'ssh wakes what was stopped' "$(ssh_ve ve@127.0.0.1 'echo awake')" awake
ssh_ve ve@127.0.0.1 'echo on; exec sleep 60' >"$PG_DIR/long" 2>"$PG_DIR/long.err" &
long=$!
started() { grep -q on "$PG_DIR/long"; }
await 60 started
password=$("$BIN/ve-portald" -o op@example.net -d "$PG_URL")
JAR=$PG_DIR/jar-op API_CSRF=
login op@example.net "$password"
id=$(pg_sql "select id from ve.subscriber where email = 'ann@example.net'")
begin=$(date +%s%3N)
api POST "/admin/subscribers/$id/actions" '{"action":"suspend","why":"mining"}'
wait "$long"
status=$?
took=$(($(date +%s%3N) - begin))
is 'a suspension ends it' "$status" 255
echo "# after $took ms; a quiet machine takes less than one second"
like 'and says so' "$(cat "$PG_DIR/long.err")" 'suspended'
ok 'the key opens nothing' test "$(ssh_ve ve@127.0.0.1 true 2>&1 | grep -c 'Permission denied')" = 1
tap_end
