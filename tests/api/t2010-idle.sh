#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sleep: what sends a VE there, what keeps it awake, who wakes it, and who gets its address meanwhile.
. "$(dirname "$0")/t2-lib.sh"
make_pki
configure 'quarantine_ms 500' 'stop_ms 3000'
start_agent
yes_() { if eval "$2"; then ok "$1"; else not_ok "$1"; fi; }
M='/v1/ves/1000/terminals/main/ws?from=0'
put() { api PUT "/v1/ves/$1" -H 'If-Match: *' -d "$(spec running "$2" ",\"idle\":{$3}")"; }
new() { api PUT "/v1/ves/$1" -H 'If-None-Match: *' -d "$(spec "$2" 1 ",\"idle\":{$3}")"; }
lend() {
	_n=$(api PUT "/v1/blocks/$1" -d "{\"range\":\"$2\",\"term_ms\":600000,\"nonce\":\"\"}" | json nonce)
	api PUT "/v1/blocks/$1" -d "{\"range\":\"$2\",\"term_ms\":600000,\"nonce\":\"$_n\"}" >/dev/null
}
events() { curl -sS -N --max-time 3 --cacert "$T/ca.crt" --cert "$T/control.crt" --key "$T/control.key" -k \
	--connect-to "n1:443:127.0.0.1:$PORT" -H 'Last-Event-ID: 0' https://n1/v1/events 2>/dev/null; }

is 'a negative rule' "$(new 1009 stopped '"idle_after_s":-1' | json status)" 400
is 'an unknown rule' "$(new 1009 stopped '"nap":1' | json status)" 400
lend b1 10.9.0.0/32
new 1000 running '"idle_after_s":3600' >/dev/null; await_state 1000 running
until_ok 10 has_ip 1000
create 1001 >/dev/null; await_state 1001 running
is 'the rule is kept' "$(member 1000 spec.idle.idle_after_s),$(member 1000 spec.idle.stop_after_s),$(member 1000 spec.idle.warn_s)" 3600,0,120
has 'why it is awake' "$(member 1000 status.activity)" 'started, '
has 'and until when' "$(member 1000 status.idle_at)" T
is 'without a rule: never' "$(member 1001 status.idle_at)" null
is 'who has no address waits in line' "$(member 1000 status.waiting),$(member 1001 status.waiting)" null,1

# work KIND MS: VE 1000 uses, or waits for, so many ms of each half second until work_ends; the agent keeps the file open
work() {
	rm -f "$T/idle-now"
	(ms=$(cat "$T/fake/$1-1000" 2>/dev/null); ms=${ms#"${ms%%[1-9]*}"}
	while [ ! -e "$T/idle-now" ]; do
		ms=$((${ms:-0} + $2))
		printf '%012d' "$ms" | dd of="$T/fake/$1-1000" conv=notrunc status=none
		sleep 0.5
	done) &
	job=$!
}
work_ends() { : >"$T/idle-now"; wait $job; }

# activity, each with its words
at=$(member 1000 status.idle_at)
op=$(act 1000 extend | json id)
is 'extension' "$(op_end "$op" | json state)" succeeded
has 'is activity' "$(member 1000 status.activity)" 'extended, '
if expr "$(member 1000 status.idle_at)" \> "$at" >/dev/null; then ok 'and moves the end'; else not_ok 'and moves the end'; fi
ws "$M" "$(grant 1000 tty)" 'send=marker=$((40+2)); echo start-$marker\n' expect=start-42 || not_ok 'terminal'
word() { case "$(member 1000 status.activity)" in "$1"*) true ;; *) false ;; esac; }
yes_ 'terminal input' 'until_ok 10 word "terminal input"'
echo "$(awk '{ print int($1 * 1000) + 3000 }' /proc/uptime) 22" >"$T/fake/rx-1000"
yes_ 'a packet that a socket took' 'until_ok 20 word "a TCP connection from 192.0.2.9 to port 22"'
rm "$T/fake/rx-1000"

# what waits for the disk
work disk 400
yes_ 'a job that waits for the disk' 'until_ok 30 word "disk in use"'
work_ends

# a job that works keeps it awake; when it ends the VE sleeps, whatever tab is open
work cpu 400
yes_ 'a busy job' 'until_ok 30 word "CPU in use"'
put 1000 2 '"idle_after_s":4,"warn_s":2' >/dev/null
started=$(date +%s)
past() { [ "$(date +%s)" -ge $((started + 15)) ]; } # it is looked at every ten seconds, or as often as the rule says
until_ok 30 past
is 'is not idle, for as long as it runs' "$(state_of 1000)" running
ws "$M" "$(grant 1000 tty)" hello notice=1 "file=$T/asleep" expect=start-42 && echo noticed >"$T/noticed" &
tab=$!
work_ends
yes_ 'it goes to sleep by itself' 'await_state 1000 frozen'
: >"$T/asleep"; wait $tab
is 'the open terminal was warned' "$(cat "$T/noticed" 2>&1)" noticed
until_gone() { until_ok 20 lost "$1"; }
lost() { [ "$(member "$1" status.ipv4)" = null ]; }
until_gone 1000
is 'its address is gone' "$(member 1000 status.ipv4),$(member 1000 status.activity),$(member 1000 status.waiting)" null,null,null
yes_ 'and lent to who waited' 'until_ok 20 has_ip 1001'
is 'the kernel agrees' "$(cut -d' ' -f1 "$T/fake/addr-10.9.0.0")" 1001
e=$(events)
has 'events tell of the warning' "$e" '"veid":1000,"what":"warning"'
has 'and of the sleep' "$e" '"veid":1000,"what":"frozen"'
is 'the node counts it' "$(api GET /v1/node | json ves.frozen),$(api GET /v1/node | json ves.stopped)" 1,0
has 'metrics too' "$(api GET /metrics)" 've_node_ves_frozen 1'

# who comes wakes it
put 1000 4 '"idle_after_s":3600' >/dev/null
sleeps() { op=$(act 1000 idle | json id); [ "$(op_end "$op" | json state),$(state_of 1000)" = succeeded,frozen ]; }
is 'a new rule wakes nobody' "$(state_of 1000)" frozen
yes_ 'an opened terminal does' 'ws "$M" "$(grant 1000 tty)" expect=start-42 && await_state 1000 running'
has 'and says so' "$(events)" '"veid":1000,"what":"woken"'
is 'no address is free: it waits' "$(member 1000 status.waiting)" 1

# who had one for its longest time gives it to who waits
ws '/v1/ves/1001/terminals/main/ws?from=0' "$(grant 1001 tty)" hello notice=2 && echo told >"$T/told" &
tab=$!
until_ok 20 grep -q 'terminal main of VE 1001' "$T/log"
is 'without a rule who has one keeps it' "$(member 1001 status.ipv4)" 10.9.0.0
put 1001 2 '"lease_max_s":1' >/dev/null
yes_ 'the longest time of a lease is over while another waits' 'until_ok 20 has_ip 1000'
is 'and whose it was waits for another' "$(member 1001 status.ipv4),$(member 1001 status.waiting)" null,1
wait $tab
is 'as its terminal is told' "$(cat "$T/told" 2>&1)" told
has 'and the events' "$(events)" '"why":"longest"'
yes_ 'it runs on' 'is_state 1001 running'
is 'the kernel has the other' "$(cut -d' ' -f1 "$T/fake/addr-10.9.0.0")" 1000
act 1001 stop >/dev/null; await_state 1001 stopped
yes_ 'sleep by action' sleeps
yes_ 'a command wakes it' 'ws "/v1/ves/1000/terminals/x/ws?kind=exec" "$(grant 1000 exec)" -c "echo up" expect=up exit=0'
is 'it runs' "$(state_of 1000)" running
yes_ 'sleep again' sleeps
op=$(act 1000 wake | json id)
is 'action wake' "$(op_end "$op" | json state),$(state_of 1000)" succeeded,running
yes_ 'sleep again' sleeps
op=$(act 1000 start | json id)
is 'action start' "$(op_end "$op" | json state),$(state_of 1000)" succeeded,running
opened() { grep -c 'terminal main of VE 1000' "$T/log"; }
before=$(opened)
more() { [ "$(opened)" -gt "$before" ]; }
(ws "$M" "$(grant 1000 tty)" hello "file=$T/type" 'send=echo typed-$marker\n' expect=typed-42 && echo typed >"$T/typed") &
tab=$!
until_ok 20 more
until_ok 20 word 'a visit'
yes_ 'sleep with a terminal open' sleeps
: >"$T/type"; wait $tab
yes_ 'input wakes it' '[ "$(cat "$T/typed")" = typed ] && await_state 1000 running'

# the death of the agent's parts
yes_ 'sleep again' sleeps
kill -9 "$(part_pid priv)" "$(part_pid api)"
until_ok 20 is_ready
is 'it sleeps on when parts die' "$(state_of 1000)" frozen
op=$(act 1000 wake | json id)
is 'and wakes' "$(op_end "$op" | json state),$(state_of 1000)" succeeded,running
yes_ 'sleep again' sleeps
op=$(act 1000 stop | json id)
is 'a sleeper can be stopped' "$(op_end "$op" | json state),$(state_of 1000)" succeeded,stopped
act 1000 start >/dev/null; await_state 1000 running
yes_ 'sleep again' sleeps
act 1000 suspend >/dev/null
yes_ 'a sleeper can be suspended' 'await_state 1000 stopped'
is 'and is not woken then' "$(act 1000 wake | json title)" suspended
act 1000 unsuspend >/dev/null; await_state 1000 running

# what is work is told by the plan
is 'no work at all is none' "$(put 1000 5 '"busy_permille":0' | json status)" 400
put 1000 5 '"idle_after_s":3600,"busy_permille":10' >/dev/null
work cpu 50
yes_ 'a tenth of a CPU is more than a hundredth' 'until_ok 30 word "CPU in use"'
put 1000 6 '"idle_after_s":2,"busy_permille":1000' >/dev/null
yes_ 'and less than a whole one' 'await_state 1000 frozen'
work_ends
op=$(act 1000 wake | json id); op_end "$op" >/dev/null

# the next step down
put 1000 7 '"idle_after_s":1,"stop_after_s":1' >/dev/null
yes_ 'asleep for long: stopped' 'await_state 1000 stopped'
has 'and said so' "$(events)" '"veid":1000,"what":"stopped"'
yes_ 'a visit starts it' 'ws "$M" "$(grant 1000 tty)" hello "send=echo new-\$((3+4))\\n" expect=new-7'
is 'no part died by itself' "$(grep -c 'starting it again' "$T/log")" 2
done_testing
