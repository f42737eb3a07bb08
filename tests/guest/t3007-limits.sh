#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bounds on the real kernel, from the specification: refused, told, changed while the VE runs; bandwidth
# by the mark of its packets.
[ -n "${INSIDE:-}" ] || exec "$(dirname "$0")/agent-run" "$0" --timeout 300
. ./t2-lib.sh
make_pki
ip addr add 192.0.2.1/32 dev lo # the node's own
configure 'held 1' 'uplink lo'
start_agent
vectl() { "$BIN/vectl" --socket "$T/run/ctl.sock" "$@" 2>"$T/said"; }
run() { _v=$1; shift; vectl exec "$_v" "$@"; }
ub() { awk -v n="$1" '$1 == n || $2 == n { print $(NF - 4), $(NF - 2), $(NF - 1), $NF }'; } # held barrier limit failcnt
inside() { run 1000 cat /proc/user_beancounters | ub "$1"; }
yes_() { if eval "$2"; then ok "$1"; else not_ok "$1" "$(tail -n 3 "$T/log")"; fi; }
put() { api PUT /v1/ves/1000 -H 'If-Match: *' -D "$T/h" -d "$(spec running "$1" ",$2")" -o /dev/null; _op=$(sed -n 's/^[Ll]ocation: *//p' "$T/h" | tr -d '\r'); [ -z "$_op" ] || api GET "$_op?wait=30" | json state; }

api PUT /v1/ves/1000 -H 'If-None-Match: *' -o /dev/null \
	-d "$(spec running 1 ',"limits":{"processes":32,"memory_bytes":67108864,"numfile":{"barrier":300,"limit":400}},"cpu":{"cpus":1,"cap_percent":50}')"
await_state 1000 running
n=$(api PUT /v1/blocks/b1 -d '{"range":"10.77.0.1/32","term_ms":600000,"nonce":""}' | json nonce)
api PUT /v1/blocks/b1 -d "{\"range\":\"10.77.0.1/32\",\"term_ms\":600000,\"nonce\":\"$n\"}" >/dev/null
yes_ 'it runs and has an address' 'until_ok 30 has_ip 1000'
is 'a row stands inside' "$(inside numfile | cut -d' ' -f2,3)" '300 400'
is 'processes are numproc' "$(inside numproc | cut -d' ' -f2,3)" '32 40'
is 'memory is physpages' "$(inside physpages | cut -d' ' -f3)" 16384
is 'the group has it from the kernel' "$(cat "$(group_of 1000)/memory.max")" 67108864
is 'it sees one CPU' "$(run 1000 nproc)" 1
held() { [ "$(member 1000 status.usage.numproc.held)" -ge 1 ]; }
yes_ 'usage is the kernel'\''s' 'until_ok 10 held'

# refused, and told
run 1000 'i=0; while [ $i -lt 40 ]; do sleep 100 & i=$((i + 1)); done; wait' >/dev/null 2>&1 &
refused() { [ "$(member 1000 status.usage.numproc.failcnt)" -ge 1 ]; }
yes_ 'the row refuses' 'until_ok 30 refused'
events() { curl -sS -N --max-time 2 --cacert "$T/ca.crt" --cert "$T/control.crt" --key "$T/control.key" -k \
	--connect-to "n1:443:127.0.0.1:$PORT" -H 'Last-Event-ID: 0' https://n1/v1/events 2>/dev/null; }
told() { events | grep -A1 'event: refused' >"$T/told"; grep -q '"veid":1000,"resource":"numproc"' "$T/told"; }
yes_ 'and tells' 'until_ok 20 told'
has 'of whom' "$(cat "$T/told")" '"program":"sh"'
has 'counted' "$(api GET /metrics | grep -v '"numproc"} 0')" 've_node_refused_total{resource="numproc"}'
is 'who comes to help gets in' "$(run 1000 'echo in')" in
vectl set 1000 numproc=64; is 'vectl set' $? 0
more() { [ "$(inside numproc | cut -d' ' -f2)" = 64 ]; }
yes_ 'is there at once' 'until_ok 10 more'
has 'vectl limits shows the kernel'\''s table' "$(vectl limits 1000 | grep -w numproc)" ' 64 '
run 1000 'pkill sleep'

# bandwidth: to the VE by venet0, from it by what stands for the uplink
run 1000 '(while :; do nc -l -p 8080 -e sh -c "wc -c >>/tmp/got"; done) >/dev/null 2>&1 &'
got() { run 1000 grep -cx "$1" /tmp/got; }
reach() { echo | nc -w 5 10.77.0.1 8080 && [ "$(got 1)" -ge 1 ]; }
yes_ 'it is reached' 'until_ok 30 reach'
# seconds until so many bytes have arrived
send() {
	_n=$(got "${1}000"); _t=$(date +%s)
	there() { [ "$(got "$1")" -gt "$_n" ]; }
	head -c "${1}000" /dev/zero | nc -w 60 10.77.0.1 8080
	until_ok 40 there "${1}000"
	echo $(($(date +%s) - _t))
}
fast=$(send 500)
is 'bandwidth is applied' "$(put 2 '"limits":{"processes":64,"memory_bytes":67108864},"bandwidth":{"down":{"rate":50000}}')" succeeded
slow=$(send 500)
if [ "$slow" -ge 7 ]; then ok 'what goes to it is no faster than its rate'; else not_ok 'what goes to it is no faster than its rate' "500000 bytes at 50000 a second took $slow s, $fast s without"; fi
is 'and taken away' "$(put 3 '"limits":{"processes":64,"memory_bytes":67108864}')" succeeded
again=$(send 500)
if [ "$again" -lt "$slow" ]; then ok 'it is fast again'; else not_ok 'it is fast again' "$again s"; fi
is 'bytes are counted' "$([ "$(member 1000 status.usage.net.rx_bytes)" -ge 1500000 ] && echo yes)" yes

# sleep and death of priv change no bound
op=$(act 1000 idle | json id); is 'it sleeps' "$(op_end "$op" | json state)" succeeded
kill -9 "$(part_pid priv)"
yes_ 'priv is another' 'until_ok 20 is_ready'
op=$(act 1000 wake | json id); is 'it wakes' "$(op_end "$op" | json state)" succeeded
is 'with its bounds' "$(inside numproc | cut -d' ' -f2,3)" '64 72'
is 'no part did what it may not' "$(grep -c "sandbox's list" "$T/log")" 0
done_testing
