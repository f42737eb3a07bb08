#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ports of VEs: who may, bytes both ways, who is woken, and what a closed one says.
. "$(dirname "$0")/t2-lib.sh"
make_pki
configure
"$BIN/t2tool" serve >"$T/server" &
server=$!
start_agent
trap 'kill $server 2>/dev/null; cleanup' EXIT
until_ok 10 test -s "$T/server"
P=$(cat "$T/server")
create 1000 >/dev/null; await_state 1000 running
yes_() { if eval "$2"; then ok "$1"; else not_ok "$1" "$(tail -n 1 "$T/ws.log")"; fi; }
tcp() { "$BIN/t2tool" tcp "$T" "$PORT" "$@" 2>>"$T/ws.log"; }
# refused NAME WORDS VEID PORT GRANT
refused() {
	: >"$T/ws.log"
	if tcp "/v1/ves/$3/ports/$4" "$5" </dev/null; then not_ok "$1"; else has "$1" "$(cat "$T/ws.log")" "$2"; fi
}
refused 'no grant' 'answered 403: no grant' 1000 "$P" ''
refused 'a grant for a terminal' 403 1000 "$P" "$(grant 1000 tty)"
refused 'a grant for another port' 403 1000 "$P" "$(grant 1000 9)"
refused 'a grant for another VE' 403 1000 "$P" "$(grant 1001 "$P")"
refused 'an expired grant' 403 1000 "$P" "$(grant 1000 "$P" -5)"
refused 'port 0' 400 1000 0 ''
refused 'port 65536' 400 1000 65536 ''
refused 'no port' 400 1000 http ''
is 'without an upgrade' "$(ROLE=terminal status GET "/v1/ves/1000/ports/$P")" 426
is 'control may not' "$(status GET "/v1/ves/1000/ports/$P")" 403
if ws /v1/ves/1000/terminals/main/ws "$(grant 1000 "$P")" hello; then not_ok 'its grant opens no terminal'; else ok 'its grant opens no terminal'; fi

g=$(grant 1000 "$P")
is 'bytes both ways' "$(printf 'hello\nbye\n' | tcp "/v1/ves/1000/ports/$P" "$g" | tr '\n' ' ')" 'hello bye '
refused 'a grant opens once' 'used before' 1000 "$P" "$g"
is 'many of them' "$( (head -c 3000000 /dev/zero; echo bye) | tcp "/v1/ves/1000/ports/$P" "$(grant 1000 "$P")" | wc -c)" 3000004
free=$("$BIN/t2tool" port)
refused 'nobody listens' 'answered 502' 1000 "$free" "$(grant 1000 "$free")"
has 'a visit is activity' "$(api GET /v1/ves/1000 | json status.activity)" 'a visit'

hello() { [ "$(echo bye | tcp "/v1/ves/1000/ports/$P" "$(grant 1000 "$P")")" = bye ]; }
op=$(act 1000 idle | json id); op_end "$op" >/dev/null
is 'it sleeps' "$(state_of 1000)" frozen
yes_ 'a sleeper is woken, the answer comes' hello
is 'it runs' "$(state_of 1000)" running
op=$(act 1000 stop | json id); op_end "$op" >/dev/null
yes_ 'one that is stopped is started' hello
n=0; while [ $n -lt 20 ]; do (hello && echo x >>"$T/many") & n=$((n + 1)); done
twenty() { [ "$(grep -c x "$T/many")" = 20 ]; }
yes_ 'twenty at a time' 'until_ok 60 twenty'

# an open connection counts when something is said on it, and ends with suspension
mkfifo "$T/talk"
tcp "/v1/ves/1000/ports/$P" "$(grant 1000 "$P")" <"$T/talk" >"$T/heard" &
talk=$!
exec 9>"$T/talk"
echo one >&9
heard() { grep -q "$1" "$T/heard"; }
yes_ 'a connection stays open' 'until_ok 20 heard one'
op=$(act 1000 idle | json id); op_end "$op" >/dev/null
echo two >&9
yes_ 'a word on it wakes' 'until_ok 20 heard two && await_state 1000 running'
act 1000 suspend >/dev/null
wait $talk
is 'suspension ends it' $? 0
exec 9>&-
refused 'suspended: not woken' 'answered 403' 1000 "$P" "$(grant 1000 "$P")"
refused 'no such VE' 'answered 404' 77 "$P" "$(grant 77 "$P")"

# ports where nobody accepts, of as many VEs as there are workers and one more
python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 0), backlog=0)
full = [socket.socket() for _ in range(2)]
for f in full:
    f.setblocking(False)
    f.connect_ex(s.getsockname())
print(s.getsockname()[1], flush=True)
time.sleep(600)' >"$T/deaf" &
deaf=$!
trap 'kill $server $deaf 2>/dev/null; cleanup' EXIT
until_ok 10 test -s "$T/deaf"
D=$(cat "$T/deaf")
create 1100 >/dev/null; await_state 1100 running
for v in 1101 1102 1103 1104 1105; do
	create $v >/dev/null; await_state $v running
	for n in 1 2; do
		(tcp "/v1/ves/$v/ports/$D" "$(grant $v "$D")" </dev/null; echo $v >>"$T/given-up") &
	done
done
is 'others are reached' "$(echo bye | tcp "/v1/ves/1100/ports/$P" "$(grant 1100 "$P")")" bye
is 'while those wait' "$(cat "$T/given-up" 2>/dev/null)" ''
ten() { [ "$(grep -c . "$T/given-up")" = 10 ]; }
yes_ 'who hears in the end that nobody answers' 'until_ok 60 ten'
is 'no part died' "$(grep -c 'starting it again' "$T/log")" 0
done_testing
