#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From a keystroke to its echo on the real stack: a browser's way (TLS, WebSocket, portal, agent) beside
# OpenSSH with an sshd in the same VE.  Both cross the same emulated network card of the node.
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build/rel}
echo 'echo wall vestibule ms want'
echo 'echo wall openssh ms want'
base=$((20000 + RANDOM % 9000))
export RUN=$PWD/build/bench/echo PORT=$base SSH_PORT=$((base + 10)) AGENT_PORT=$((base + 20)) NODE_MEM=1024 PORTALS=1
sshd_port=$((base + 30))
export FORWARD=$sshd_port:2200
. tests/lib/pg.sh
. tests/lib/portal.sh
. tests/lib/node.sh
trap 'provisioning/demo.sh stop >>build/bench/echo.log 2>&1' EXIT
rm -rf "$RUN"
provisioning/demo.sh run >build/bench/echo.log 2>&1 || { tail build/bench/echo.log >&2; exit 1; }

# what tests/lib knows of a portal
PG_DIR=$RUN JAR=$RUN/jar URL=https://localhost:$PORT SSH_KEY=$RUN/id
is_running() { http GET "/api/v1/ves/$veid"; jq -e '.state == "running" and .ipv4' <<<"$BODY"; }

signup ann@example.net debian
http GET /api/v1/session
veid=$(jq -r .me.veid <<<"$BODY")
await 120 is_running || { echo "the VE does not run: $BODY" >&2; exit 1; }
ip=$(jq -r .ipv4 <<<"$BODY")
ssh-keygen -q -t ed25519 -N '' -C bench -f "$SSH_KEY"
http GET "/ves/$veid"
csrf
http POST /keys --data-urlencode "csrf=$CSRF" --data-urlencode "key=$(cat "$SSH_KEY.pub")"

# this machine's sshd goes into the VE with its libraries: both are Debian 12
ldd /usr/sbin/sshd | grep -oE '/[^ ]+' | sort -u >"$RUN/libs"
tar -czhf - /usr/sbin/sshd -T "$RUN/libs" 2>/dev/null | ssh_ve ve@127.0.0.1 'tar -xzf - -C / --skip-old-files' &&
	ssh_ve ve@127.0.0.1 'grep -q ^sshd: /etc/passwd || echo sshd:x:101:65534::/run/sshd:/usr/sbin/nologin >>/etc/passwd
umask 022; mkdir -p /run/sshd /etc/ssh /root/.ssh && cat >/root/.ssh/authorized_keys && chmod -R go= /root/.ssh
cat >/etc/ssh/bench <<T
HostKey /root/.ssh/host
UsePAM no
UseDNS no
StrictModes no
PermitRootLogin prohibit-password
T' <"$SSH_KEY.pub" && ssh_ve ve@127.0.0.1 'cat >/root/.ssh/host; chmod 600 /root/.ssh/host; /usr/sbin/sshd -f /etc/ssh/bench -E /root/sshd.log' <"$SSH_KEY" ||
	{ echo 'echo wall openssh ms error no sshd in the VE'; exit 1; }
control=$(tr '\0' '\n' <"/proc/$(cat "$RUN/n1.pid")/cmdline" | sed -n 's|.*path=\([^,]*control\).*|\1|p')
control_run() { # a command on the node itself; its end is a dot
	coproc node { exec socat - "UNIX-CONNECT:$control"; }
	local pid=$node_PID line
	printf 'run %s\n' "$1" >&"${node[1]}"
	while read -r -t 60 line <&"${node[0]}" && [ "$line" != . ]; do echo "$line" >&2; done
	kill "$pid"
	wait "$pid" 2>/dev/null # the line is free, and the name
}
control_run "nft 'add table ip bench; add chain ip bench pre { type nat hook prerouting priority dstnat; }; add rule ip bench pre iifname eth0 tcp dport 2200 dnat to $ip:22; insert rule inet vestibule forward iifname eth0 oifname venet0 tcp dport 22 accept'"
# What a VE of an account that is not confirmed sends does not leave the node: here it answers
control_run "ip route replace $ip/32 dev venet0; ip rule del from $ip iif venet0"

api POST "/ves/$veid/tickets"
ticket=$(jq -r .ticket <<<"$BODY")
cookie="__Host-ve=$(grep '__Host-ve	' "$JAR" | cut -f7)"
export SSH_AUTH_SOCK=
"$BIN/bench_echo" "${SAMPLES:-300}" \
	vestibule "$BIN/wsclient $RUN/pki/ca.crt $PORT /ves/$veid/terminals/main/ws $URL $cookie auth:$ticket hello pipe" \
	openssh "ssh -tt $SSH_OPTS -i $SSH_KEY -p $sshd_port root@127.0.0.1"
