# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#  Behind the portal of tests/lib/portal.sh: the real agent on a kernel that is
#  played (ve-agentd-fake), the real job daemon, and Debian's sshd as gateway.
#
#     node_start      agent n1, enrolled
#     jobd_start [N]  job daemon number N (1)
#     holds NAME      tests/lib/invariants finds nothing at n1 and in the data base; the VEs of $ALIVE still run
#     sshd_start      $SSH_PORT; ssh_ve COMMAND... runs one with the key $SSH_KEY

NODE_BIN=${NODE_BIN:-$BUILD/bin/ve-agentd-fake}

# await SECONDS COMMAND...: until it succeeds
await() {
  await_end=$(($(date +%s) + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$(date +%s)" -lt "$await_end" ] || return 1
    sleep 0.05 # what is awaited needs the processor
  done
}

# AGENT_CONF: more lines for the agent's configuration
node_conf() {
  mkdir -p "$PG_DIR/template/tiny" "$PG_DIR/template/debian" "$PG_DIR/private" "$PG_DIR/fake"
  echo sha256:aa >"$PG_DIR/template/tiny.digest"
  echo sha256:bb >"$PG_DIR/template/debian.digest"
  [ -f "$PG_DIR/grant" ] || openssl rand -hex 32 >"$PG_DIR/grant"
  cat >"$PG_DIR/agentd.conf" <<CONF
node n1
listen 127.0.0.1:$NODE_PORT
ca $PG_DIR/pki/ca.crt
cert $PG_DIR/pki/node-n1.crt
key $PG_DIR/pki/node-n1.key
grant_key $PG_DIR/grant
state_dir $PG_DIR/agent-state
run_dir $PG_DIR/agent-run
template_dir $PG_DIR/template
private_dir $PG_DIR/private
user_api nobody
user_term nobody
${AGENT_CONF:-}
CONF
}

node_ready() {
  curl -sf --max-time 5 -o /dev/null --cacert "$PG_DIR/pki/ca.crt" --cert "$PG_DIR/pki/control.crt" \
    --key "$PG_DIR/pki/control.key" -k "https://${NODE_HOST:-127.0.0.1}:$NODE_PORT/readyz"
}

node_start() {
  [ -f "$PG_DIR/agentd.conf" ] || node_conf
  VE_FAKE_DIR=$PG_DIR/fake "$NODE_BIN" -c "$PG_DIR/agentd.conf" >>"$PG_DIR/agentd.log" 2>&1 &
  echo $! >"$PG_DIR/agentd.pid"
  await 60 node_ready || { cat "$PG_DIR/agentd.log" >&2; return 1; }
  pg_sql "select ve.node_install('n1', 'https://127.0.0.1:$NODE_PORT', '$(cat "$PG_DIR/grant")', 100);
          select ve.pool_install('10.77.0.0/24', 28); select ve.pool_install('fd00:77::/64', 128)" >/dev/null
}

# The fake's VEs are processes of ours too.
node_cleanup() {
  for file in "$PG_DIR"/fake*/ve-*; do
    [ -f "$file" ] && read -r pid _ <"$file" && kill -9 "$pid" 2>/dev/null
  done
}

jobd_start() {
  cat >"$PG_DIR/jobd.conf" <<CONF
db $PG_CONNINFO user=ve_jobd
node_ca $PG_DIR/pki/ca.crt
control_cert $PG_DIR/pki/control.crt
control_key $PG_DIR/pki/control.key
public_url https://localhost:$((PORT_BASE + 1))
${SMTP_PORT:+smtp_url smtp://127.0.0.1:$SMTP_PORT}
${SMTP_PORT:+mail_from vestibule@localhost}
${DNS_PORT:+dns_server 127.0.0.1:$DNS_PORT}
${DNS_PORT:+dns_zone ve.example}
${DNS_PORT:+dns_key $PG_DIR/dns.key}
user nobody
CONF
  chmod a+r "$PG_DIR"/pki/control.* "$PG_DIR"/jobd.conf
  VE_FAKE_DIR=$PG_DIR/points "$BIN/${JOBD:-ve-jobd}" -c "$PG_DIR/jobd.conf" >>"$PG_DIR/jobd${1:-1}.log" 2>&1 &
  echo $! >"$PG_DIR/jobd${1:-1}.pid"
  await 60 node_seen || { cat "$PG_DIR"/*.log >&2; return 1; }
}
node_seen() {
  [ "$(pg_sql "select count(*) from ve.node where seen_at > now() - interval '20 s'")" -gt 0 ]
}

ALIVE=
hold() {
  tests/lib/invariants --pg "$PG_URL" --node n1 --fake "$PG_DIR/fake" --db "$PG_DIR/agent-state/api/agent.db" --alive "$ALIVE"
}
# holds NAME: it says nothing, once the node is at rest
holds() {
  if await 60 hold; then tap_say 0 "$1"; else
    hold | sed 's/^/# /'
    tap_say 1 "$1"
  fi
}
# those that run now: "1000,1001"
running() {
  for file in "$PG_DIR"/fake*/ve-*; do
    [ -f "$file" ] && read -r pid _ <"$file" && kill -0 "$pid" 2>/dev/null && echo "${file##*-}"
  done | paste -sd,
}

# The state of a VE as the database knows it.
ve_state() { pg_sql "select state from ve.ve where veid = $1"; }
ve_is() { [ "$(ve_state "$1")" = "$2" ]; }

sshd_start() {
  SSH_PORT=$((PORT_BASE + 50))
  mkdir -p "$PG_DIR/ssh"
  ssh-keygen -q -t ed25519 -N '' -f "$PG_DIR/ssh/host_key"
  cat >"$PG_DIR/gateway.conf" <<CONF
db $PG_CONNINFO user=ve_gateway
shell $(realpath "$BIN")/ve-shell
node_ca $PG_DIR/pki/ca.crt
terminal_cert $PG_DIR/pki/terminal.crt
terminal_key $PG_DIR/pki/terminal.key
CONF
  { getent passwd; echo "ve:x:$(id -u):$(id -g):gateway:$PG_DIR/ssh:/bin/sh"; } >"$PG_DIR/ssh/passwd"
  # sshd gives a terminal to the group tty: an ordinary user can only where that is its own
  { getent group | grep -v '^tty:'; echo "tty:x:$(id -g):"; } >"$PG_DIR/ssh/group"
  cat >"$PG_DIR/ssh/sshd_config" <<CONF
Port $SSH_PORT
ListenAddress 127.0.0.1
HostKey $PG_DIR/ssh/host_key
PidFile none
StrictModes no
PermitRootLogin forced-commands-only
AuthorizedKeysCommand /usr/bin/env $(realpath "$BIN")/ve-keys -c $PG_DIR/gateway.conf %t %k
AuthorizedKeysCommandUser $(id -un)
Subsystem sftp $(realpath "$BIN")/ve-shell -c $PG_DIR/gateway.conf -s sftp
Include $(realpath provisioning/gateway/rules.conf)
CONF
  [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
  LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_PASSWD=$PG_DIR/ssh/passwd NSS_WRAPPER_GROUP=$PG_DIR/ssh/group \
    /usr/sbin/sshd -D -f "$PG_DIR/ssh/sshd_config" -E "$PG_DIR/sshd.log" &
  echo $! >"$PG_DIR/sshd.pid"
  await 60 ssh-keyscan -p "$SSH_PORT" 127.0.0.1
}
SSH_OPTS='-F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o IdentitiesOnly=yes'
# shellcheck disable=SC2086
ssh_ve() { ssh $SSH_OPTS -i "$SSH_KEY" -p "$SSH_PORT" "$@"; }
