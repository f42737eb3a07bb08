#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kill -9 of every part and of the whole agent: VEs run on, nothing acknowledged is lost.
. "$(dirname "$0")/t2-lib.sh"
make_pki
configure
start_agent
create 1000 >/dev/null
await_state 1000 running
nonce=$(api PUT /v1/blocks/b1 -d '{"range":"10.9.0.0/30","term_ms":600000,"nonce":""}' | json nonce)
api PUT /v1/blocks/b1 -d "{\"range\":\"10.9.0.0/30\",\"term_ms\":600000,\"nonce\":\"$nonce\"}" >/dev/null
until_ok 10 has_ip 1000
ip=$(api GET /v1/ves/1000 | json status.ipv4)
read -r init _ <"$T/fake/ve-1000"
ws '/v1/ves/1000/terminals/main/ws?from=0' "$(grant 1000 tty)" 'send=marker=$((40+2)); echo start-$marker\n' expect=start-42 || not_ok 'terminal'

kill_part() { # and wait until another one is there
	_old=$(part_pid "$1")
	kill -9 "$_old"
	another() { _new=$(part_pid "$1") && [ -n "$_new" ] && [ "$_new" != "$_old" ]; }
	until_ok 20 another "$1" && until_ok 20 is_ready
}
same_ve() {
	read -r _now _ <"$T/fake/ve-1000"
	is "$1: the VE is the same" "$_now,$(state_of 1000)" "$init,running"
	is "$1: its address too" "$(api GET /v1/ves/1000 | json status.ipv4)" "$ip"
}
shell_lives() {
	if ws '/v1/ves/1000/terminals/main/ws?from=0' "$(grant 1000 tty)" expect=start-42 'send=echo again-$marker\n' expect=again-42; then
		ok "$1: the terminal's shell and output are there"
	else
		not_ok "$1: the terminal's shell and output are there"
	fi
}

kill_part priv; same_ve priv; shell_lives priv
is 'priv: a new operation works' "$(op=$(act 1000 restart | json id); api GET "/v1/operations/$op?wait=30" | json state)" succeeded
await_state 1000 running; until_ok 10 has_ip 1000
read -r init _ <"$T/fake/ve-1000"
ip=$(api GET /v1/ves/1000 | json status.ipv4)
ws '/v1/ves/1000/terminals/main/ws?from=0' "$(grant 1000 tty)" 'send=marker=$((40+2)); echo start-$marker\n' expect=start-42 || not_ok 'terminal'

kill_part api; same_ve api; shell_lives api
kill_part term; same_ve term; shell_lives term

# an exit status survives the death of priv and term between
ws '/v1/ves/1000/terminals/two/ws?from=0' "$(grant 1000 tty)" 'send=echo r-$((1+1)); read x; exit 6\n' expect=r-2
kill_part priv
kill_part term
if ws '/v1/ves/1000/terminals/two/ws?from=0' "$(grant 1000 tty)" expect=r-2 'send=\n' exit=6 close=1000; then
	ok 'an exit status survives both'
else
	not_ok 'an exit status survives both'
fi

# an operation under way is carried out by the next api
read -r pid _ <"$T/fake/ve-1000"
kill -STOP "$pid"
op=$(act 1000 stop | json id)
kill_part api
kill -CONT "$pid"
is 'api: the operation ends' "$(api GET "/v1/operations/$op?wait=30" | json state)" succeeded
is 'api: as it should' "$(state_of 1000)" stopped
g=$(grant 1000 tty)
ws '/v1/ves/1000/terminals/main/ws' "$g" hello
kill_part api
if ws '/v1/ves/1000/terminals/main/ws' "$g" hello; then not_ok 'api: a grant stays used'; else ok 'api: a grant stays used'; fi

# the whole agent
await_state 1000 running
read -r init _ <"$T/fake/ve-1000"
kill -9 "$AGENT"; wait "$AGENT" 2>/dev/null
none_left() { [ -z "$(part_pid priv)$(part_pid api)$(part_pid term)" ]; }
if until_ok 10 none_left; then ok 'supervisor: the parts follow it'; else not_ok 'supervisor: the parts follow it'; fi
if kill -0 "$init" 2>/dev/null; then ok 'supervisor: the VE runs on'; else not_ok 'supervisor: the VE runs on'; fi
# whose line to it ends, ends: no signal at the parent's death is needed for that
for part in priv api term; do
	VE_FAKE_DIR=$T/fake "$BIN/t2tool" orphan "$BIN/ve-agentd-fake" -P "$part" -c "$T/conf" 2>>"$T/log"
	is "$part: ends with its line to the supervisor" $? 0
done
start_agent
until_ok 10 has_ip 1000
read -r now _ <"$T/fake/ve-1000"
is 'supervisor: it is adopted' "$now,$(state_of 1000)" "$init,running"
if ws '/v1/ves/1000/terminals/main/ws' "$(grant 1000 tty)" hello 'send=echo new-$((3+4))\n' expect=new-7; then
	ok 'supervisor: terminals open again'
else
	not_ok 'supervisor: terminals open again'
fi

# SIGTERM ends the agent and no VE; what ended meanwhile is seen
kill "$AGENT"; wait "$AGENT" 2>/dev/null
if kill -0 "$init" 2>/dev/null; then ok 'SIGTERM ends no VE'; else not_ok 'SIGTERM ends no VE'; fi
kill -9 "$init"
start_agent
another_init() { read -r now _ <"$T/fake/ve-1000" && [ "$now" != "$init" ]; }
if until_ok 20 another_init && await_state 1000 running; then
	ok 'a VE that ended meanwhile is brought back'
else
	not_ok 'a VE that ended meanwhile is brought back'
fi
done_testing
