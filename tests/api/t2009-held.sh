#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# VEs made ahead of their start: there, used, made anew, and gone with whoever made them.
. "$(dirname "$0")/t2-lib.sh"
make_pki
configure 'held 3'
start_agent

reported() { api GET /v1/node | json held; }
real() { find "$T/fake" -name 'held-*' | wc -l; }
holds() { [ "$(reported),$(real)" = "$1,$1" ]; }
pids() { cat "$T"/fake/held-* | cut -d' ' -f1 | sort | tr '\n' ' '; }
check() { if until_ok 20 holds "$2"; then ok "$1"; else not_ok "$1" "reported $(reported), real $(real)"; fi; }
another_part() { _new=$(part_pid "$1") && [ -n "$_new" ] && [ "$_new" != "$2" ]; }
kill_part() { _old=$(part_pid "$1"); kill -9 "$_old"; until_ok 20 another_part "$1" "$_old" && until_ok 20 is_ready; }

check 'three are made' 3
has 'metrics say so' "$(api GET /metrics)" 've_node_ves_held 3'
before=$(pids)
create 1000 >/dev/null; await_state 1000 running
read -r init first <"$T/fake/ve-1000"
has 'a start takes one of them' " $before" " $init "
check 'another is made' 3
create 1001 >/dev/null; await_state 1001 running
read -r _ second <"$T/fake/ve-1001"
if [ "$first" != "$second" ]; then ok 'no two share ids'; else not_ok 'no two share ids' "$first"; fi
check 'and again' 3
before=$(pids)
api PUT /v1/ves/1002 -H 'If-None-Match: *' -d '{"template":"debian","desired":"stopped","generation":1}' >/dev/null
mv "$T/template/debian" "$T/gone"
op=$(act 1002 start | json id)
is 'a start without a template' "$(api GET "/v1/operations/$op?wait=20" | json error.title)" template-unknown
is 'uses none up' "$(pids)" "$before"

kill_part api
check 'the next api knows them' 3
is 'they are the same' "$(pids)" "$before"
kill_part priv
unlike() { [ "$(real)" = 3 ] && case "$(pids)" in *${before%% *}\ *) false ;; *) true ;; esac; }
if until_ok 20 unlike; then ok 'those of a priv that died go with it'; else not_ok 'those of a priv that died go with it' "$before" "$(pids)"; fi
check 'the next makes its own' 3
is 'a VE that was one of them runs on' "$(state_of 1000),$(cut -d' ' -f1 "$T/fake/ve-1000")" "running,$init"
op=$(act 1000 restart | json id)
is 'and starts again' "$(api GET "/v1/operations/$op?wait=20" | json state)" succeeded

kill -9 "$AGENT"; wait "$AGENT" 2>/dev/null
none() { [ "$(real)" = 0 ]; }
if until_ok 20 none; then ok 'none outlives the agent'; else not_ok 'none outlives the agent' "$(real)"; fi
sed -i 's/^held .*/held 0/' "$T/conf"
start_agent
op=$(act 1001 restart | json id)
is 'without any: a start works too' "$(api GET "/v1/operations/$op?wait=20" | json state)" succeeded
is 'and none is made' "$(reported),$(real)" 0,0
done_testing
