#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The real agent on the real kernel dies at named places on the way of grant, renew, release, freeze and wake, is
# killed, loses its link, hears requests twice and in another order: after each the invariants hold, no VE is lost and
# what was under way is done.  A few of the places; tests/long has all of them (SETTINGS=SWEEP=all).
[ -n "${INSIDE:-}" ] || {
	cd "$(dirname "$0")/../.." || exit 1
	AGENT=ve-agentd-failing WITH=tests/lib/invariants exec tests/guest/agent-run "$0" --timeout "${GUEST_TIMEOUT:-400}"
}
. ./t2-lib.sh
make_pki
configure 'quarantine_ms 200' 'stop_ms 3000' 'held 1'
start_agent
hold() {
	cat /proc/net/venet >"$T/addrs" && cat /proc/ve >"$T/ves" &&
		python3 ./invariants --node n1 --ves "$T/ves" --addrs "$T/addrs" --db "$T/state/api/agent.db" --alive "${1:-1000,1001}"
}
lend() { block b1 10.77.0.0/29 3600000; }
init_of() { head -n 1 "$(group_of "$1")/init/cgroup.procs"; }
all_well() { # NAME: it goes on and all is in order
	if until_ok 40 insist; then ok "$1: it goes on"; else not_ok "$1: it goes on" "$(api GET /v1/ves/1000)" "$(api GET /v1/node)"; fi
	if until_ok 20 hold; then ok "$1: the invariants hold"; else not_ok "$1: the invariants hold" "$(hold)"; fi
	is "$1: the other VE is the same" "$(init_of 1001)" "$init"
}
again() { # a new supervisor: the old one makes parts that die often wait
	kill "$AGENT"; wait "$AGENT" 2>/dev/null
	start_agent
}

mkdir -p "$T/fake"
create 1000 >/dev/null; create 1001 >/dev/null
await_state 1000 running; await_state 1001 running
lend
init=$(init_of 1001)
all_well 'before'

# the checker is no yes-man here either
has 'it sees a VE that is lost' "$(hold 1000,77)" 'VE 77 ran and is lost'

sweep() { # WAY POINT...
	way=$1; shift
	for point; do
		arm "$point"
		case $way in
		sleep) try 1000 idle ;;
		wake) try 1000 idle; await_state 1000 frozen >/dev/null; try 1000 wake ;;
		start) try 1000 stop; await_state 1000 stopped >/dev/null; try 1000 start ;;
		renew) lend >/dev/null 2>&1 ;;
		esac
		if until_ok 30 fired "$point"; then ok "$way: $point is on the way"; else not_ok "$way: $point is on the way"; fi
		disarm "$point"
		[ "$way" = renew ] && until_ok 20 is_ready && lend
		[ "$way" = sleep ] && until_ok 20 is_ready && try 1000 idle && await_state 1000 frozen >/dev/null && try 1000 wake
		all_well "$point"
		[ "${SWEEP:-}" != all ] || again
	done
}
if [ "${SWEEP:-}" = all ]; then
	sweep sleep freeze-asked priv-frozen state-heard state-written release-out release-written priv-removed operation-written disk
	sweep wake wake-asked priv-thawed grant-picked grant-durable grant-told grant-written priv-added priv-add-noted
	sweep start start-asked priv-started grant-told priv-added
	sweep renew renew-written renew-told priv-fence-noted disk
else
	sweep sleep priv-frozen priv-removed
	sweep wake grant-durable priv-added
	sweep renew priv-fence-noted
fi

# killed, part after part and as a whole, with a wake under way
for part in priv api term; do
	try 1000 idle; await_state 1000 frozen >/dev/null
	(try 1000 wake) &
	kill -9 "$(part_pid $part)"
	wait $!
	all_well "kill -9 of $part"
done
try 1000 idle; await_state 1000 frozen >/dev/null
kill -9 "$AGENT"; wait "$AGENT" 2>/dev/null
start_agent
all_well 'kill -9 of the supervisor'

# twice, and in another order than they were sent
try 1000 idle; await_state 1000 frozen >/dev/null
for i in 1 2 3 4 5 6; do
	(act 1000 wake same-key >"$T/same.$i" 2>/dev/null) &
	[ $((i % 2)) = 0 ] || (act 1001 extend "extend-$i" >/dev/null 2>&1) &
done
wait_for() { for _j in $(jobs -p); do [ "$_j" = "$AGENT" ] || wait "$_j"; done; }
wait_for
is 'one key is one operation' "$(for i in 1 2 3 4 5 6; do json id <"$T/same.$i"; done | sort -u | grep -c .)" 1
g=$(api GET /v1/ves/1000 | json spec.generation)
put() { status PUT /v1/ves/1000 -H 'If-Match: *' -d "$(spec "$1" "$2")"; }
is 'the later request, then the earlier' "$(put running $((g + 2))),$(put stopped $((g + 1)))" '200,412'
is 'the earlier one changed nothing' "$(api GET /v1/ves/1000 | json spec.desired)" running
n=$(api PUT /v1/blocks/b1 -d '{"range":"10.77.0.0/29","term_ms":3600000,"nonce":""}' | json nonce)
for i in 1 2 3; do
	api PUT /v1/blocks/b1 -d "{\"range\":\"10.77.0.0/29\",\"term_ms\":3600000,\"nonce\":\"$n\"}" >/dev/null
done
all_well 'duplicates and disorder'

# the link goes down for longer than the term, and comes back
api DELETE /v1/blocks/b1 >/dev/null
without() { ! has_ip 1000 && ! has_ip 1001; }
until_ok 20 without
block b2 10.77.1.0/29 14000
has 'another block, a short one' "$(until_ok 20 settled; ip_of 1000)" 10.77.1.
ip link set lo down
gone() { ! grep -q '^ *10\.77\.' /proc/net/venet; }
if until_ok 30 gone; then ok 'without its link it gives the addresses back by itself'; else not_ok 'without its link it gives the addresses back by itself' "$(cat /proc/net/venet)"; fi
is 'its VEs run on' "$(init_of 1001),$(awk '$1 == 1000 { print $2 }' /proc/ve)" "$init,running"
ip link set lo up
until_ok 20 is_ready
lend
all_well 'link down and up'
is 'no part did what it may not' "$(grep -c "sandbox's list" "$T/log")" 0
done_testing
