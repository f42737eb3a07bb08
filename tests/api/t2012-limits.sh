#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a VE may use, what it uses, what it was refused: from the specification to the kernel and back.
. "$(dirname "$0")/t2-lib.sh"
make_pki
configure 'stop_ms 3000'
start_agent
vectl() { "$BIN/vectl" --socket "$T/run/ctl.sock" "$@" 2>"$T/said"; }
yes_() { if eval "$2"; then ok "$1"; else not_ok "$1"; fi; }
new() { api PUT "/v1/ves/$1" -H 'If-None-Match: *' -d "$(spec "$2" 1 ",$3")"; }
put() { api PUT "/v1/ves/$1" -H 'If-Match: *' -D "$T/h" -d "$(spec running "$2" "${3:+,$3}")"; }
done_() { sed -n 's/^[Ll]ocation: *//p' "$T/h" | tr -d '\r' >"$T/op"; [ "$(api GET "$(cat "$T/op")?wait=20" | json state)" = succeeded ]; }
pid_of() { read -r _pid _ <"$T/fake/ve-$1" && echo "$_pid"; }
row() { awk -v n="$2" '$1 == n { print $2, $3 }' "$T/fake/limits-$(pid_of "$1")"; }
qos() { cat "$T/fake/$1-$(pid_of "$2")"; }
events() { curl -sS -N --max-time 2 --cacert "$T/ca.crt" --cert "$T/control.crt" --key "$T/control.key" -k \
	--connect-to "n1:443:127.0.0.1:$PORT" -H 'Last-Event-ID: 0' https://n1/v1/events 2>/dev/null; }
MAX=9223372036854775807

# what is no limit
for bad in '"numprocs":{"barrier":1}' '"dummy":{"barrier":1}' '"numproc":{"limit":1}' '"numproc":5' '"numproc":{"barrier":-1}' \
	'"numproc":{"barrier":1,"limit":9223372036854775808}' '"numproc":{"barrier":99999999999999999999999}' \
	'"numproc":{"barrier":2,"limit":1}' '"numproc":{"barrier":1.5}' '"numproc":{"barrier":1,"most":2}'; do
	is "refused: $bad" "$(new 1009 stopped "\"limits\":{$bad}" | json status)" 400
done
has 'and said why' "$(new 1009 stopped '"limits":{"numproc":{"barrier":2,"limit":1}}' | json detail)" 'numproc: the limit 1 is below the barrier 2'
has 'unknown ones by name' "$(new 1009 stopped '"limits":{"numprocs":{"barrier":1}}' | json detail)" numprocs
for bad in '"cpu":{"weight":0}' '"cpu":{"cap_percent":-1}' '"cpu":{"cpus":5000}' '"cpu":{"shares":1}' '"io_weight":0' '"io_weight":10001' \
	'"bandwidth":{"up":{"rate":999}}' '"bandwidth":{"up":{"rate":2000,"ceil":1000}}' '"bandwidth":{"left":{"rate":2000}}' \
	'"flows":{"rate":-1}' '"flows":{"rate":10000001}'; do
	is "refused: $bad" "$(new 1009 stopped "$bad" | json status)" 400
done
is 'nothing was made of it' "$(status GET /v1/ves/1009)" 404

# before init runs
new 1000 running '"limits":{"processes":64,"memory_bytes":67108864,"kmemsize":{"barrier":100,"limit":200},"numfile":{"barrier":7}},
	"cpu":{"weight":300,"cap_percent":150,"cpus":2},"io_weight":50,"flows":{"rate":20,"burst":40},
	"bandwidth":{"up":{"rate":10000,"ceil":50000},"down":{"rate":20000}}' >/dev/null
await_state 1000 running
is 'a row reaches the kernel' "$(row 1000 kmemsize)" '100 200'
is 'a barrier alone is the limit too' "$(row 1000 numfile)" '7 7'
is 'processes are numproc, with room for help' "$(row 1000 numproc)" '64 72'
is 'memory is physpages' "$(row 1000 physpages)" '16384 16384'
is 'what is not named is not bound' "$(row 1000 tcpsndbuf)" "$MAX $MAX"
is 'nor guaranteed' "$(row 1000 vmguarpages)" "0 $MAX"
is 'CPU' "$(qos qos 1000)" '300 1500000000 2'
mark=$(qos net 1000 | cut -d' ' -f1)
is 'new flows' "$(qos net 1000 | cut -d' ' -f2-3)" '20 40'
is 'packets, which no plan leaves unbounded' "$(qos net 1000 | cut -d' ' -f4)" 2000
is 'the mark names a class' "$((mark >> 16))" $((0x7e00))
class=$T/fake/class-$((mark & 65535))
is 'that is there' "$(cat "$class")" '10000 50000 20000 20000'
is 'the specification is shown' "$(member 1000 spec.limits.kmemsize.limit),$(member 1000 spec.cpu.weight),$(member 1000 spec.cpu.cap_percent),$(member 1000 spec.io_weight)" 200,300,150,50
is 'all of it' "$(member 1000 spec.bandwidth.up.ceil),$(member 1000 spec.bandwidth.down.ceil),$(member 1000 spec.flows.burst)" 50000,20000,40
create 1001 >/dev/null; await_state 1001 running
is 'without any: as before' "$(qos qos 1001),$(qos net 1001)" '100 0 0,0 0 0 2000'
new 1002 running '"limits":{"physpages":{"barrier":100,"limit":200}},"bandwidth":{"up":{"rate":1000000,"ceil":9000000}}' >/dev/null; await_state 1002 running
is 'more packets for more bytes' "$(qos net 1002 | cut -d' ' -f4)" 9000
is 'a row goes before its simple spelling' "$(row 1002 physpages)" '100 200'

# live
put 1000 2 '"limits":{"processes":64,"kmemsize":{"barrier":300,"limit":400}},"bandwidth":{"down":{"rate":5000}}' >/dev/null
yes_ 'a changed specification is applied' done_
is 'to the process that runs' "$(row 1000 kmemsize),$(row 1000 numfile),$(cat "$class")" "300 400,$MAX $MAX,0 0 5000 5000"
is 'CPU too' "$(qos qos 1000)" '100 0 0'
put 1000 3 '"limits":{"processes":64,"kmemsize":{"barrier":300,"limit":400}},"bandwidth":{"down":{"rate":5000}}' >/dev/null
is 'the same again needs no work' "$(grep -ci '^location' "$T/h")" 0
is 'and is observed' "$(member 1000 status.observed_generation)" 3

# usage
printf 'numproc 12 60 3\nkmemsize 250 260 0\n' >"$T/fake/used-$(pid_of 1000)"
echo '1000 2000' >"$T/fake/traffic-$(pid_of 1000)"
used() { [ "$(member 1000 "status.usage.numproc.$1")" = "$2" ]; }
yes_ 'usage is shown' 'until_ok 10 used held 12'
is 'with all that belongs to it' "$(api GET /v1/ves/1000 | json status.usage.numproc)" '{"held":12,"maxheld":60,"barrier":64,"limit":72,"failcnt":3}'
is 'bytes too' "$(member 1000 status.usage.net.tx_bytes),$(member 1000 status.usage.net.rx_bytes)" 1000,2000
is 'none of a VE that does not run' "$(new 1003 stopped '"limits":{}' >/dev/null; member 1003 status.usage)" null
t=$(vectl limits 1000)
is 'vectl limits: a row as the kernel writes it' "$(echo "$t" | grep -w numproc)" "$(printf '%10s  %-12s %20s %20s %20s %20s %20s' '' numproc 12 60 64 72 3)"
is 'headed' "$(echo "$t" | sed -n 1p | tr -s ' ')" ' uid resource held maxheld barrier limit failcnt'
is 'with the number once' "$(echo "$t" | sed -n 2p | tr -s ' ' | cut -d' ' -f2,3)" '1000: kmemsize'
is 'as JSON' "$(vectl --json limits 1000 | json numproc.failcnt)" 3
vectl limits 1003; is 'of one that does not run' $? 1
has 'says what helps' "$(cat "$T/said")" 'start it'
vectl set 1000 numproc=32 kmemsize=10:20; is 'vectl set' $? 0
is 'is applied' "$(row 1000 numproc),$(row 1000 kmemsize)" '32 32,10 20'
is 'and nothing else changes' "$(cat "$class"),$(member 1000 spec.limits.processes),$(member 1000 spec.generation)" '0 0 5000 5000,64,3'
vectl set 1000 numproc=unlimited; is 'unlimited' "$?,$(row 1000 numproc)" "0,$MAX $MAX"
vectl set 1000 numproc=2:1; is 'a limit below its barrier' $? 2
has 'is said' "$(cat "$T/said")" 'below the barrier'
vectl set 1000 nothing=1; is 'an unknown resource' $? 2
has 'with where to look' "$(cat "$T/said")" 'vectl limits'
vectl set 4242 numproc=1; is 'of a VE that is not there' $? 1

# refusals
echo '1000 numproc 64 64 64 5 17 make' >"$T/fake/refusals"
told() { events >"$T/events"; grep -q '"resource":"numproc"' "$T/events"; }
yes_ 'a refusal is an event' 'until_ok 10 told'
has 'with what and who' "$(cat "$T/events")" '"veid":1000,"resource":"numproc","held":64,"barrier":64,"limit":64,"refused":5,"program":"make","pid":17,"time":"20'
has 'of its own kind' "$(cat "$T/events")" 'event: refused'
has 'and counted' "$(api GET /metrics)" 've_node_refused_total{resource="numproc"} 5'
has 'nobody else is' "$(api GET /metrics)" 've_node_refused_total{resource="numfile"} 0'
has 'none is lost' "$(api GET /metrics)" 've_node_refusals_lost_total 0'
echo '1000 numpty 9 8 9 3 17 late 1030' >"$T/fake/refusals"
lost() { api GET /metrics | grep -qx 've_node_refusals_lost_total 1030'; }
yes_ 'what the kernel could not keep is counted' 'until_ok 10 lost'
has 'and said with what came after it' "$(events | grep '"resource":"numpty"')" '"lost":1030'

# more than are read in a second: they wait, and come
i=0
while [ $i -lt 40 ]; do
	for _ in 1 2 3 4 5 6 7 8; do echo '1000 numflock 64 64 64 1 17 make'; done >"$T/fake/refusals"
	i=$((i + 1))
done
all_320() { api GET /metrics | grep -qx 've_node_refused_total{resource="numflock"} 320'; }
yes_ 'of a flood none is missing' 'until_ok 30 all_320'

# a class is there for who is active
op=$(act 1000 idle | json id)
is 'a sleeper' "$(op_end "$op" | json state)" succeeded
yes_ 'has no class' '[ ! -e "$class" ]'
op=$(act 1000 wake | json id)
is 'woken' "$(op_end "$op" | json state)" succeeded
is 'it has one again' "$(cat "$class")" '0 0 5000 5000'
: >"$T/fake/class-999"
kill -9 "$(part_pid priv)"
gone() { [ ! -e "$T/fake/class-999" ]; }
yes_ 'priv is another: classes of nobody go' 'until_ok 20 gone'
yes_ 'it is ready' 'until_ok 20 is_ready'
is 'the others stay' "$(cat "$class")" '0 0 5000 5000'
op=$(act 1000 idle | json id)
is 'and go with sleep' "$(op_end "$op" | json state),$(cat "$class" 2>&1 | tail -c 10)" 'succeeded,directory'
act 1000 wake >/dev/null; await_state 1000 running
echo '1001 numfile 9 8 9 1 3 cat' >"$T/fake/refusals"
told_again() { events >"$T/events"; grep -q '"resource":"numfile"' "$T/events"; }
yes_ 'refusals are heard again' 'until_ok 10 told_again'

# the agent as a whole begins anew
kill "$AGENT"; wait "$AGENT" 2>/dev/null
rm -f "$class"
# as if the operation of the latest change had failed; where there is no Python (in a guest) nothing is said of it
python=$(command -v python3)
[ -z "$python" ] || "$python" -c 'import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
c.execute("UPDATE ve SET observed = 0 WHERE veid = 1000")
c.commit()' "$T/state/api/agent.db"
start_agent
follows() { [ "$(member 1000 status.observed_generation)" = "$(member 1000 spec.generation)" ]; }
[ -z "$python" ] || yes_ 'a change that went wrong is made later' 'until_ok 20 follows'
there() { [ "$(cat "$class" 2>/dev/null)" = '0 0 5000 5000' ]; }
yes_ 'a new agent knows the bandwidth' 'until_ok 20 there'
is 'and the rows' "$(member 1000 spec.limits.kmemsize.barrier)" 10
act 1000 stop >/dev/null; await_state 1000 stopped
yes_ 'who is stopped has no class' '[ ! -e "$class" ]'
done_testing
