#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A part of the agent dies at each named place on the way of grant, renew, release, freeze, wake and
# start: nobody has an address twice, no VE is lost, and what was under way is done.
. "$(dirname "$0")/t2-lib.sh"
make_pki
configure 'quarantine_ms 200' 'stop_ms 3000'
start_agent
INV=$(dirname "$0")/../lib/invariants
hold() { "$INV" --node n1 --fake "$T/fake" --db "$T/state/api/agent.db" --alive 1000,1001; }
lend() { block b1 10.9.0.0/29 3600000; }

create 1000 running ',"ipv6":"fd00:77::3e8"' >/dev/null; create 1001 >/dev/null
await_state 1000 running; await_state 1001 running
lend
until_ok 10 settled
if hold; then ok 'all is well before'; else not_ok 'all is well before' "$(hold)"; fi

# the checker itself sees what is wrong
cp "$T/fake/addr-$(ip_of 1000)" "$T/saved"
echo '1001 99' >"$T/fake/addr-$(ip_of 1000)"
has 'the checker sees another owner' "$(hold)" 'the kernel has (1001, 99)'
cp "$T/saved" "$T/fake/addr-$(ip_of 1000)"
echo '4242 1' >"$T/fake/addr-10.9.0.7"
has 'one that is not there' "$(hold)" 'for VE 4242, which is not there'
has 'and an address nobody lent' "$(hold)" 'lends it to nobody'
rm "$T/fake/addr-10.9.0.7"
: >"$T/fake/frozen-1000"
has 'a sleeper with an address' "$(hold)" 'sleeps and has'
rm "$T/fake/frozen-1000"
has 'a VE that is lost' "$("$INV" --node n1 --fake "$T/fake" --alive 77)" 'VE 77 ran and is lost'
has 'two nodes with one address' "$("$INV" --node n1 --fake "$T/fake" --node n2 --fake "$T/fake")" 'both have'
if hold; then ok 'and nothing else'; else not_ok 'and nothing else' "$(hold)"; fi

sweep() { # WAY POINT...
	way=$1; shift
	for point; do
		read -r _init _ <"$T/fake/ve-1001"
		arm "$point"
		case $way in
		sleep) try 1000 idle ;;
		wake) try 1000 idle; await_state 1000 frozen >/dev/null; try 1000 wake ;;
		start) try 1000 stop; await_state 1000 stopped >/dev/null; try 1000 start ;;
		renew) lend >/dev/null 2>&1 ;;
		esac
		if until_ok 20 fired "$point"; then
			ok "$way: $point is on the way"
		else
			not_ok "$way: $point is on the way"
		fi
		disarm "$point"
		[ "$way" = renew ] && until_ok 20 is_ready && lend
		[ "$way" = sleep ] && until_ok 20 is_ready && try 1000 idle && await_state 1000 frozen >/dev/null && try 1000 wake
		if until_ok 30 insist; then ok "$point: it goes on"; else not_ok "$point: it goes on" "$(api GET /v1/ves/1000)" "$(api GET /v1/node)"; fi
		if until_ok 10 hold; then ok "$point: the invariants hold"; else not_ok "$point: the invariants hold" "$(hold)"; fi
		if until_ok 10 test -e "$T/fake/addr-fd00:77::3e8"; then ok "$point: its address for life is there"; else not_ok "$point: its address for life is there"; fi
		read -r _now _ <"$T/fake/ve-1001"
		is "$point: the other VE is the same" "$_now" "$_init"
		# a new supervisor: the old one makes parts that die often wait
		kill "$AGENT"; wait "$AGENT" 2>/dev/null
		start_agent
	done
}
sweep sleep freeze-asked priv-frozen state-heard state-written release-out release-written priv-removed operation-written disk
sweep wake wake-asked priv-thawed grant-picked grant-durable grant-told grant-written priv-added priv-add-noted
sweep start start-asked priv-started grant-told priv-added
sweep renew renew-written renew-told priv-fence-noted disk

# nothing is acknowledged that the disk does not have
arm disk
is 'what the disk has not seen is not acknowledged' "$(status PUT /v1/ves/1050 -H 'If-None-Match: *' -d "$(spec stopped 1)" 2>/dev/null)" 000
until_ok 20 is_ready
if until_ok 20 fired disk; then ok 'it died before'; else not_ok 'it died before'; fi
disarm disk
is 'what it has seen is' "$(status PUT /v1/ves/1051 -H 'If-None-Match: *' -d "$(spec stopped 1)")" 201
done_testing
