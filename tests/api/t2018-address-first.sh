#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An address goes into the kernel's table before the starts that were asked for earlier.
. "$(dirname "$0")/t2-lib.sh"
make_pki
configure 'quarantine_ms 2000' 'held 0'
start_agent
later='1010 1011 1012 1013 1014 1015 1016 1017'
lend() { api PUT /v1/blocks/b1 -d "{\"range\":\"10.9.0.0/32\",\"term_ms\":600000,\"nonce\":\"$1\"}" | json nonce; }
events() { curl -sS -N --max-time 3 --cacert "$T/ca.crt" --cert "$T/control.crt" --key "$T/control.key" -k \
	--connect-to "n1:443:127.0.0.1:$PORT" -H 'Last-Event-ID: 0' https://n1/v1/events 2>/dev/null; }
# number PATTERN: the line of the first event like that
number() { grep -nm 1 "$1" "$T/events" | cut -d: -f1; }

create 1000 >/dev/null; await_state 1000 running
lend "$(lend '')" >/dev/null
until_ok 10 has_ip 1000
create 1001 >/dev/null; await_state 1001 running
is 'one has the address, one waits' "$(ip_of 1000),$(ip_of 1001)" 10.9.0.0,null
act 1000 stop >/dev/null; await_state 1000 stopped
priv=$(part_pid priv)
kill -STOP "$priv"
for veid in $later; do create "$veid" >/dev/null; done
picked() { [ "$(api GET /v1/node | json leases)" = 1 ]; }
if until_ok 20 picked; then ok 'it is picked for the other, behind eight starts'; else not_ok 'it is picked for the other, behind eight starts'; fi
kill -CONT "$priv"
for veid in $later; do await_state "$veid" running; done
if until_ok 10 has_ip 1001; then ok 'which gets it'; else not_ok 'which gets it'; fi
events >"$T/events"
began=$(number '"what":"began","veid":1001')
last=$(for veid in $later; do number "\"veid\":$veid,\"state\":\"running\""; done | sort -n | tail -n 1)
if [ "${began:-0}" -gt 0 ] && [ "$began" -lt "${last:-0}" ]; then ok 'before all of them have started'; else not_ok 'before all of them have started' "began: $began" "last: $last" "$(grep -m 3 '"lease\|began' "$T/events")"; fi
done_testing
