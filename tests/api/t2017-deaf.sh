#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# More VEs than there are workers whose init does not heed a stop: who visits a VE that sleeps does not wait for
# them, nor does who holds one back.
. "$(dirname "$0")/t2-lib.sh"
make_pki
configure 'stop_ms 300000'
start_agent
deaf='1000 1001 1002 1003 1004 1005 1006 1007 1008 1009 1010 1011 1012 1013 1014 1015'

create 1016 >/dev/null; await_state 1016 running
is 'one sleeps' "$(op_end "$(act 1016 idle | json id)" | json state)" succeeded
create 1017 >/dev/null; await_state 1017 running
for veid in $deaf; do create "$veid" >/dev/null; done
for veid in $deaf; do
	await_state "$veid" running
	read -r pid _ <"$T/fake/ve-$veid"
	kill -STOP "$pid"
done
ops=$(for veid in $deaf; do act "$veid" stop | json id; done)
begun() { for op in $ops; do api GET "/v1/operations/$op" | json state; done | sort | uniq -c | tr -s '\n ' ' '; }
many() { [ "$(begun)" = ' 8 queued 8 running ' ]; }
if until_ok 30 many; then ok 'sixteen are to stop, and eight are waited for'; else not_ok 'sixteen are to stop, and eight are waited for' "$(begun)"; fi
is 'it wakes' "$(op_end "$(act 1016 wake | json id)" | json state)" succeeded
create 1018 >/dev/null
await_state 1018 running && ok 'a new one starts'
is 'another is suspended' "$(op_end "$(act 1017 suspend | json id)" | json state)" succeeded
is 'while none of them has stopped' "$(begun)" ' 8 queued 8 running '
for veid in $deaf; do
	read -r pid _ <"$T/fake/ve-$veid"
	kill -KILL "$pid"
done
for op in $ops; do op_end "$op" | json state; done | sort | uniq -c | tr -s ' ' >"$T/ends"
is 'their end is seen when it comes' "$(cat "$T/ends")" ' 16 succeeded'
done_testing
