#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The gateway as make install-portal leaves it: its account, its sshd with the rules, keys, and what is refused.  In a mount
# namespace of its own, where /etc, /usr and /var are covered, so that nothing of this machine changes.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/cover.sh
. tests/lib/stack.sh
ok 'the portal is installed' sh -c 'make -s install-portal BUILD="$BUILD" >/dev/null'
ok 'its units are in order' sh -c 'systemd-analyze verify --man=no /usr/lib/systemd/system/ve-gateway.service 2>&1 | grep ve-gateway && exit 1; exit 0'
is 'without its account the gateway does not start' "$(/usr/lib/vestibule/gateway-prepare 2>&1)" \
  'there is no account ve: run systemd-sysusers, which makes it'
systemd-sysusers vestibule-portal.conf >/dev/null 2>&1
mkdir -p /var/lib/ve-gateway
ok 'with it, it prepares itself' /usr/lib/vestibule/gateway-prepare
key=$(cat /var/lib/ve-gateway/host_key.pub)
ok 'again and again' /usr/lib/vestibule/gateway-prepare
is 'with the same host key' "$(cat /var/lib/ve-gateway/host_key.pub)" "$key"
is 'which is its alone' "$(stat -c %a /var/lib/ve-gateway/host_key)" 600
chmod -R a+rX "$PG_DIR/pki"
cat >/etc/ve-gateway.conf <<T
db $PG_CONNINFO user=ve_gateway
shell /usr/lib/vestibule/ve-shell
node_ca $PG_DIR/pki/ca.crt
terminal_cert $PG_DIR/pki/terminal.crt
terminal_key $PG_DIR/pki/terminal.key
T
chown root:ve /etc/ve-gateway.conf
chmod 640 /etc/ve-gateway.conf
SSH_PORT=$((PORT_BASE + 50))
ok 'its sshd takes the configuration' /usr/sbin/sshd -t -f /usr/share/vestibule/gateway/sshd_config
# as the unit has it
start=$(sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/ve-gateway.service | sed "s/\${PORT}/$SSH_PORT/")
$start 2>"$PG_DIR/sshd.log" &
echo $! >"$PG_DIR/sshd.pid"
ok 'and answers' await 60 ssh-keyscan -p "$SSH_PORT" 127.0.0.1

mkdir "$PG_DIR/ssh"
ssh-keygen -q -t ed25519 -N '' -f "$PG_DIR/ssh/id"
ssh-keygen -q -t ed25519 -N '' -f "$PG_DIR/ssh/other"
signup ann@example.net
await 60 ve_is 1000 running
api POST /keys "{\"key\":\"$(cat "$PG_DIR/ssh/id.pub")\"}"
is 'a key is left' "$STATUS" 201
SSH_KEY=$PG_DIR/ssh/id
is 'it opens the VE' "$(ssh_ve ve@127.0.0.1 'echo in-$((40+2))' </dev/null 2>&1)" in-42
ssh_ve ve@127.0.0.1 'exit 7' </dev/null
is 'with the exit status' $? 7
unlike 'and shows nothing of the gateway' "$(ssh_ve -tt ve@127.0.0.1 exit </dev/null 2>&1)" 'Debian|Last login'
refused() { ! ssh_ve "$@" </dev/null >"$PG_DIR/ssh/out" 2>&1; }
ok 'another account is refused' refused root@127.0.0.1 true
ok 'a port of the gateway is not forwarded' refused -o ExitOnForwardFailure=yes -R 0:127.0.0.1:22 ve@127.0.0.1 true
like 'nor led to' "$(echo | ssh_ve -W 127.0.0.1:22 ve@127.0.0.1 2>&1)" 'prohibited|forward'
SSH_KEY=$PG_DIR/ssh/other
ok 'a key that nobody left is refused' refused ve@127.0.0.1 true
like 'in words of ssh' "$(cat "$PG_DIR/ssh/out")" 'Permission denied \(publickey\)'
tap_end
