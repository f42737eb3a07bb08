#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A crowd before sleeping VEs, which take their time to wake: who is awake does not notice, and all are served.
. "$(dirname "$0")/t2-lib.sh"
make_pki
configure 'max_ves 100'
start_agent
yes_() { if eval "$2"; then ok "$1"; else not_ok "$1" "$(tail -n 3 "$T/ws.log" 2>&1)"; fi; }
command() { ws "/v1/ves/$1/terminals/x/ws?kind=exec" "$(grant "$1" exec)" -c "echo up" patience=150 expect=up exit=0; }
create 1000 >/dev/null; await_state 1000 running
v=2000
while [ $v -lt 2020 ]; do
	: >"$T/fake/slow-$v"
	create $v stopped >/dev/null
	(command $v && echo $v >>"$T/served") &
	(ws "/v1/ves/$v/terminals/main/ws" "$(grant $v tty)" patience=150 'send=echo $((40+2))\n' expect=42 && echo $v >>"$T/seen") &
	v=$((v + 1))
done
starting() { api GET /v1/ves | grep -o '"state":"starting"' | wc -l; }
eight() { [ "$(starting)" = 8 ]; }
yes_ 'so many wake at a time' 'until_ok 30 eight'
yes_ 'a command in a VE that is awake' 'command 1000'
yes_ 'a terminal too' 'ws "/v1/ves/1000/terminals/main/ws" "$(grant 1000 tty)" "send=echo \$((40+3))\\n" expect=43'
"$BIN/t2tool" serve >"$T/server" & server=$!
until_ok 10 test -s "$T/server"
P=$(cat "$T/server")
is 'a port too' "$(echo bye | "$BIN/t2tool" tcp "$T" "$PORT" "/v1/ves/1000/ports/$P" "$(grant 1000 "$P")")" bye
kill $server
op=$(act 1000 restart | json id)
is 'the house works on: a restart' "$(op_end "$op" | json state)" succeeded
create 1001 >/dev/null
yes_ 'a new VE' 'await_state 1001 running'
is 'while the crowd waits' "$(starting),$(cat "$T/served" "$T/seen" 2>/dev/null | wc -l)" 8,0

rm "$T"/fake/slow-*
kill -9 "$(part_pid priv)" # the new one sees that they run
all() { [ "$(sort -u "$T/served" | wc -l),$(sort -u "$T/seen" | wc -l)" = 20,20 ]; }
yes_ 'everybody is served' 'until_ok 120 all'
done_testing
