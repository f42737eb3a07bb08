#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The journal: follow, resume, resync.
. "$(dirname "$0")/t2-lib.sh"
make_pki
configure
start_agent
follow() { # FILE [LAST-ID]: in the background; its pid in $follower
	curl -sSN --max-time 30 --cacert "$T/ca.crt" --cert "$T/control.crt" --key "$T/control.key" -k \
		--connect-to "n1:443:127.0.0.1:$PORT" ${2:+-H "Last-Event-ID: $2"} https://n1/v1/events >"$1" 2>/dev/null &
	follower=$!
}
holds() { grep -q "$2" "$1"; }

follow "$T/a"
until_ok 10 holds "$T/a" retry
create 1000 >/dev/null
if until_ok 10 holds "$T/a" '"state":"running"'; then ok 'a start is told'; else not_ok 'a start is told' "$(cat "$T/a")"; fi
if until_ok 10 holds "$T/a" '^event: operation'; then ok 'its operation too'; else not_ok 'its operation too'; fi
kill $follower; wait $follower 2>/dev/null
last=$(sed -n 's/^id: //p' "$T/a" | tail -n 1)
first=$(sed -n 's/^id: //p' "$T/a" | head -n 1)
act 1000 stop >/dev/null; await_state 1000 stopped
follow "$T/b" "$last"
if until_ok 10 holds "$T/b" '"state":"stopped"'; then ok 'a resume tells what was missed'; else not_ok 'a resume tells what was missed'; fi
kill $follower; wait $follower 2>/dev/null
is 'beginning with the next' "$(sed -n 's/^id: //p' "$T/b" | head -n 1)" $((last + 1))
kill -9 "$(part_pid api)"; until_ok 20 is_ready
follow "$T/c" "$first"
if until_ok 10 holds "$T/c" '"state":"stopped"'; then ok 'the journal survives api'; else not_ok 'the journal survives api'; fi
kill $follower; wait $follower 2>/dev/null
follow "$T/d" 999999
if until_ok 10 holds "$T/d" '^event: resync'; then ok 'a number of another life: resync'; else not_ok 'a number of another life: resync'; fi
kill $follower; wait $follower 2>/dev/null
is 'Last-Event-ID is a number' "$(status GET /v1/events -H 'Last-Event-ID: x')" 400
has 'metrics count' "$(api GET /metrics)" 've_node_ves 1'
done_testing
