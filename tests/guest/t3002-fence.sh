#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Addresses on the real kernel: routed while they are lent, and taken out by the kernel itself when
# no part of the agent runs any more.
[ -n "${INSIDE:-}" ] || exec "$(dirname "$0")/agent-run" "$0" --timeout 300
. ./t2-lib.sh
make_pki
ip addr add 192.0.2.1/32 dev lo # the node's own
configure 'held 1'
start_agent
spec6='{"template":"tiny","hostname":"h","desired":"running","generation":1,"ipv6":"fd00:77::5"}'
api PUT /v1/ves/1000 -H 'If-None-Match: *' -d "$spec6" >/dev/null
create 1001 >/dev/null
await_state 1000 running; await_state 1001 running
lend() { # ID RANGE TERM: lent and renewed
	_n=$(api PUT "/v1/blocks/$1" -d "{\"range\":\"$2\",\"term_ms\":$3,\"nonce\":\"\"}" | json nonce)
	nonce=$(api PUT "/v1/blocks/$1" -d "{\"range\":\"$2\",\"term_ms\":$3,\"nonce\":\"$_n\"}" | json nonce)
}
renew() { nonce=$(api PUT "/v1/blocks/$1" -d "{\"range\":\"$2\",\"term_ms\":$3,\"nonce\":\"$nonce\"}" | json nonce); }
in_table() { grep -q "^ *$1 " /proc/net/venet; }
answers() { ping -c 1 -W 5 "$1" >/dev/null 2>&1; }
run() { _v=$1; shift; "$BIN/vectl" --socket "$T/run/ctl.sock" exec "$_v" "$@"; }

lend b1 10.77.0.0/30 120000
until_ok 20 has_ip 1000; until_ok 20 has_ip 1001
a=$(ip_of 1000); b=$(ip_of 1001)
has 'the block is routed' "$(ip route)" '10.77.0.0/30 dev venet0'
if until_ok 20 answers "$a"; then ok 'the node reaches a VE'; else not_ok 'the node reaches a VE' "$(ip route)" "$(cat /proc/net/venet)"; fi
if run 1000 "ping -c 1 -W 5 $b" >/dev/null; then ok 'a VE reaches another'; else not_ok 'a VE reaches another'; fi
has 'the address for life is routed' "$(ip -6 route)" 'fd00:77::5 dev venet0'
if ping6 -c 1 -W 5 fd00:77::5 >/dev/null; then ok 'and reached'; else not_ok 'and reached' "$(ip -6 route)"; fi

# what may not leave the node: on the way out somebody is asked for by ARP
ip link add out0 type veth
for d in /sys/class/net/*; do
	d=${d##*/}
	case $d in lo | venet0) continue ;; esac
	echo 1 >"/proc/sys/net/ipv6/conf/$d/disable_ipv6" # says things of its own accord
	ip link set "$d" up
done
ip addr add 198.51.100.1/24 dev out0
echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter
sent() { cat /sys/class/net/out0/statistics/tx_packets; }
leaves() { # VEID: whether a packet of it goes out
	_b=$(sent); run "$1" 'ping -c 2 -W 1 198.51.100.9' >/dev/null 2>&1; [ "$(sent)" -gt "$_b" ]
}
if leaves 1000; then ok 'a VE may leave the node'; else not_ok 'a VE may leave the node' "$(ip route)"; fi
shut() {
	api PUT /v1/ves/1000 -H 'If-Match: *' -D "$T/h" -o /dev/null \
		-d "{\"template\":\"tiny\",\"hostname\":\"h\",\"desired\":\"running\",\"generation\":$1,\"ipv6\":\"fd00:77::5\",\"egress\":$2}"
	op_end "$(sed -n 's|^[Ll]ocation: */v1/operations/||p' "$T/h" | tr -d '\r')" | json state
}
is 'shut' "$(shut 2 false),$(api GET /v1/ves/1000 | json spec.egress)" succeeded,false
if leaves 1000; then not_ok 'nothing of it leaves'; else ok 'nothing of it leaves'; fi
if run 1000 "ping -c 1 -W 5 $b" >/dev/null; then ok 'it reaches other VEs'; else not_ok 'it reaches other VEs'; fi
if answers "$a"; then ok 'and the node'; else not_ok 'and the node'; fi
if leaves 1001; then ok 'another VE leaves'; else not_ok 'another VE leaves'; fi

ip route add 10.88.0.0/30 dev out0
lend b8 10.88.0.0/30 60000
said() { grep -q 'route to 10.88.0.0/30' "$T/log"; }
if until_ok 20 said; then ok 'a block of which the node has a route of its own is told'; else not_ok 'a block of which the node has a route of its own is told'; fi
is 'the route stays' "$(ip route | grep '^10.88' | tr -s ' ' | cut -d' ' -f1-3)" '10.88.0.0/30 dev out0'
api DELETE /v1/blocks/b8 >/dev/null
given_back() { [ "$(api GET /v1/node | json 'blocks.#')" = 1 ]; }
until_ok 20 given_back
is 'and when the block is gone' "$(ip route | grep -c '^10.88.0.0/30 dev out0')" 1
old=$(part_pid priv); kill -9 "$old"
new_priv() { _p=$(part_pid priv) && [ -n "$_p" ] && [ "$_p" != "$old" ]; }
until_ok 20 new_priv; until_ok 20 is_ready
if leaves 1000; then not_ok 'priv died: still nothing'; else ok 'priv died: still nothing'; fi
has 'for all its addresses' "$(ip -6 rule)" fd00:77::5
is 'opened again' "$(shut 3 true)" succeeded
if leaves 1000; then ok 'it leaves again'; else not_ok 'it leaves again' "$(ip rule)"; fi

# renewed in time it stays: the first deadline is 90 s after the first call
until_past() { [ "$(cut -d. -f1 /proc/uptime)" -gt "$1" ]; }
first=$(awk -v a="$a" '$1 == a { print int($4 / 1000) }' /proc/net/venet)
before=$(awk -v a="$a" '$1 == a { print $4 }' /proc/net/venet)
renew b1 10.77.0.0/30 200000; renew b1 10.77.0.0/30 200000

# the wall clock is set, leases are counted on another one
deadline() { awk -v a="$1" '$1 == a { print $4 }' /proc/net/venet; }
ends() { echo "$(ip_of 1000) $(deadline "$a") $(member 1000 status.lease_epoch), $(ip_of 1001) $(deadline "$b") $(member 1001 status.lease_epoch)"; }
step() { date -s "@$(($(date +%s) + $1))" >/dev/null; }
moved() { [ "$(deadline "$a")" != "$1" ]; }
until_ok 20 moved "$before"
was=$(ends); wall=$(date +%s)
step 3600
if [ "$(date +%s)" -ge $((wall + 3600)) ]; then ok 'the wall clock goes forward by an hour'; else not_ok 'the wall clock goes forward by an hour' "$(date)"; fi
is 'no lease moves' "$(ends)" "$was"
old=$(deadline "$a")
renew b1 10.77.0.0/30 200000; renew b1 10.77.0.0/30 200000
if until_ok 20 moved "$old"; then ok 'one is renewed'; else not_ok 'one is renewed' "$(cat /proc/net/venet)"; fi
if [ "$(deadline "$a")" -le $(($(cut -d. -f1 /proc/uptime) * 1000 + 151000)) ]; then
	ok 'for its time and no hour more'
else
	not_ok 'for its time and no hour more' "$(cat /proc/net/venet)" "$(cat /proc/uptime)"
fi
was=$(ends)
step -3600
is 'it goes back, and no lease moves' "$(ends)" "$was"
until_ok 120 until_past "$first"
if in_table "$a"; then ok 'renewed: it stays past its first deadline'; else not_ok 'renewed: it stays past its first deadline' "$(cat /proc/net/venet)"; fi

# nobody is left to take it out: the kernel does
op=$(api DELETE /v1/blocks/b1 | json id)
gone() { ! in_table "$a" && ! in_table "$b"; }
until_ok 20 gone
lend b2 10.77.1.0/30 16000
until_ok 20 has_ip 1000
a=$(ip_of 1000)
step 3600
if in_table "$a"; then ok 'another block is used, whatever the wall clock says'; else not_ok 'another block is used' "$(cat /proc/net/venet)"; fi
parts="$(part_pid api) $(part_pid priv) $(part_pid term)"
# shellcheck disable=SC2086
kill -STOP "$AGENT" $parts
step -3600
if until_ok 40 gone; then ok 'every part stopped: the address leaves by itself'; else not_ok 'every part stopped: the address leaves by itself' "$(cat /proc/net/venet)"; fi
answers "$a"; is 'and answers nobody' $? 1
# shellcheck disable=SC2086
kill -CONT $parts "$AGENT"
no_ip() { [ "$(ip_of 1000)" = null ]; }
if until_ok 20 no_ip; then ok 'the agent agrees when it goes on'; else not_ok 'the agent agrees when it goes on' "$(ip_of 1000)"; fi
is 'the VE runs on' "$(state_of 1000)" running
no_route() { ! ip route | grep -q '10.77.1.0/30'; }
if until_ok 20 no_route; then ok 'the route is gone'; else not_ok 'the route is gone' "$(ip route)"; fi
done_testing
