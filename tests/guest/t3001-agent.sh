#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The real agent on our kernel: what its parts are confined to, a VE's life and what is made ahead of
# it, a terminal, and the death of each part of the agent while it runs.
[ -n "${INSIDE:-}" ] || exec "$(dirname "$0")/agent-run" "$0" --timeout 300
. ./t2-lib.sh
make_pki
configure 'held 2' 'resolver 192.0.2.53'
start_agent
until_held() { until_ok 30 holds "$1"; }
holds() { [ "$(api GET /v1/node | json held)" = "$1" ] && [ "$(grep -c held /proc/ve)" = "$1" ]; }
# The groups are those of the VEs that are there, and no more
groups() { [ "$(cd /sys/fs/cgroup/ve && ls -d */ | tr -d / | sort)" = "$(awk 'NR > 1 && $2 != "stopped" { print $3 }' /proc/ve | sort)" ]; }
in_order() { if until_ok 20 groups; then ok "$1"; else not_ok "$1" "$(ls /sys/fs/cgroup/ve)" "$(cat /proc/ve)"; fi; }
if until_held 2; then ok 'VEs are made ahead'; else not_ok 'VEs are made ahead' "$(cat /proc/ve)"; fi

line() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$(part_pid "$1")/status"; }
# SYS_ADMIN NET_ADMIN SETFCAP MKNOD SETUID SETGID FSETID FOWNER DAC_READ_SEARCH DAC_OVERRIDE CHOWN
is 'priv: capabilities' "$(line priv CapEff),$(line priv CapPrm)" 00000000882010df,00000000882010df
is 'priv: bounding set' "$(line priv CapBnd)" 00000000882010df
is 'api and term: none' "$(line api CapEff),$(line term CapEff)" 0000000000000000,0000000000000000
for part in priv api term; do is "$part: system call filter" "$(line $part Seccomp),$(line $part NoNewPrivs)" 2,1; done
chmod 644 "$T/conf"
su -s /bin/sh nobody -c "exec $BIN/ve-agentd -P priv -c $T/conf" 2>"$T/said" 3</dev/null
is 'priv: does not start when it cannot be root' $? 1
has 'and says so' "$(cat "$T/said")" root

op=$(create 1000 | json veid); await_state 1000 running
is 'a VE runs' "$(state_of 1000)" running
run() { _v=$1; shift; "$BIN/vectl" --socket "$T/run/ctl.sock" exec "$_v" "$@"; }
is 'its files are its own' "$(run 1000 'echo kept >/root/f; mkdir -p /root/d; rm /etc/group; chmod 600 /etc/passwd; chmod 622 /dev/full; ls -ln /root/f /dev/full | cut -c1-10' 2>&1)" 'crw--w--w-
-rw-r--r--'
is 'no descriptor but its own comes with a command' "$(run 1000 'for i in $(seq 3 300); do [ ! -e /proc/self/fd/$i ] || echo $i; done; ls /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2; pwd' 2>&1)" '/proc/self/fd/0
/proc/self/fd/1
/proc/self/fd/2
/root'
is 'it asks the resolver that the node says' "$(run 1000 'grep -v "^#" /etc/resolv.conf; echo nameserver 127.0.0.9 >/etc/resolv.conf')" 'nameserver 192.0.2.53'
until_held 2
M='/v1/ves/1000/terminals/main/ws?from=0'
ws "$M" "$(grant 1000 tty)" 'send=marker=$((40+2)); echo start-$marker\n' expect=start-42 || not_ok 'terminal'
init=$(awk '$1 == 1000 { print $3 }' /proc/ve)
kill_part() {
	_old=$(part_pid "$1"); kill -9 "$_old"
	another() { _new=$(part_pid "$1") && [ -n "$_new" ] && [ "$_new" != "$_old" ]; }
	until_ok 20 another "$1" && until_ok 20 is_ready
}
for part in priv api term; do
	kill_part $part
	if ws "$M" "$(grant 1000 tty)" expect=start-42 "send=echo again-\$marker-$part\\n" "expect=again-42-$part"; then
		ok "$part died: the terminal's shell and output are there"
	else
		not_ok "$part died: the terminal's shell and output are there"
	fi
	if until_held 2; then ok "$part died: two are held, no more"; else not_ok "$part died: two are held, no more" "$(cat /proc/ve)"; fi
done
is 'a restart' "$(op=$(act 1000 restart | json id); api GET "/v1/operations/$op?wait=60" | json state)" succeeded
until_held 2
in_order 'each VE has a control group, each group a VE'
is 'its own resolver stays' "$(run 1000 'cat /etc/resolv.conf')" 'nameserver 127.0.0.9'
is 'the files are there' "$(run 1000 'cat /root/f; ls /etc/group 2>/dev/null; ls -ln /etc/passwd | cut -c1-10')" "kept
-rw-------"

kill -9 "$AGENT"; wait "$AGENT" 2>/dev/null
gone() { [ "$(grep -c held /proc/ve)" = 0 ]; }
if until_ok 20 gone; then ok 'the agent died: nothing is held'; else not_ok 'the agent died: nothing is held' "$(cat /proc/ve)"; fi
is 'the VE runs on' "$(awk '$1 == 1000 { print $2 }' /proc/ve)" running
start_agent
is 'and is adopted' "$(state_of 1000)" running
until_held 2
in_order 'groups of VEs that are no more are swept away'
is 'it is erased' "$(op=$(api DELETE /v1/ves/1000 | json id); api GET "/v1/operations/$op?wait=60" | json state)" succeeded
swept() { [ ! -e /var/lib/ve/private/1000 ] && [ -z "$(ls -A /var/lib/ve/private/.trash)" ]; }
if until_ok 30 swept; then ok 'with all its files'; else not_ok 'with all its files' "$(ls -lR /var/lib/ve/private | head -20)"; fi
is 'no part did what it may not' "$(grep -c "sandbox's list" "$T/log")" 0
in_order 'nor is its group left'
done_testing
