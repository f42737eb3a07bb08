#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Terminals: grants, echo, resume by number, snapshot, credit, exec, suspension.
. "$(dirname "$0")/t2-lib.sh"
make_pki
configure
start_agent
create 1000 >/dev/null
await_state 1000 running
M=/v1/ves/1000/terminals/main/ws
yes_() { if eval "$2"; then ok "$1"; else not_ok "$1"; fi; }
no_() { if eval "$2"; then not_ok "$1"; else ok "$1"; fi; }

no_ 'no grant' 'ws "$M" "" hello'
no_ 'a malformed grant' 'ws "$M" x.y hello'
no_ 'a grant for another VE' 'ws "$M" "$(grant 1001 tty)" hello'
no_ 'a grant for another node' 'ws "$M" "$("$BIN/t2tool" grant "$T/grant" 1000 n2 tty)" hello'
no_ 'a grant of another kind' 'ws "$M" "$(grant 1000 exec)" hello'
no_ 'an expired grant' 'ws "$M" "$(grant 1000 tty -5)" hello'
no_ 'a grant for too long' 'ws "$M" "$(grant 1000 tty 600)" hello'
openssl rand -hex 32 >"$T/otherkey"
no_ 'a grant of another key' 'ws "$M" "$("$BIN/t2tool" grant "$T/otherkey" 1000 n1 tty)" hello'
g=$(grant 1000 tty)
yes_ 'a good grant opens' 'ws "$M?cols=90&rows=30" "$g" hello "send=stty size\n" "expect=30 90"'
no_ 'and only once' 'ws "$M" "$g" hello'
has 'the refusals are told apart' "$(cat "$T/ws.log")" 'used before'

yes_ 'echo and command' 'ws "$M?from=0" "$(grant 1000 tty)" "send=echo one-\$((1+1))\n" expect=one-2'
yes_ 'resize' 'ws "$M?from=0" "$(grant 1000 tty)" hello resize=70x20 "send=stty size\n" "expect=20 70"'
seq=$(ws "$M?from=0" "$(grant 1000 tty)" 'send=echo two-$((1+1))\n' expect=two-2 seq)
yes_ 'output runs on with nobody there' \
	'ws "$M?from=$seq" "$(grant 1000 tty)" "send=(sleep 0.3; echo later-\$((2+3))) &\n" "expect=&"'
yes_ 'and is there on resume' 'ws "$M?from=$seq" "$(grant 1000 tty)" expect=later-5'
resume() { ws "$M?from=$seq" "$(grant 1000 tty)" "$@"; }
no_ 'a resume sends nothing old' 'timeout 3 "$BIN/t2tool" ws "$T" "$PORT" "$M?from=$seq" "$(grant 1000 tty)" expect=one-2 2>/dev/null'
yes_ 'a place from another life: all that is held' 'ws "$M?from=99999999999" "$(grant 1000 tty)" expect=one-2'
yes_ 'names are apart' 'ws "/v1/ves/1000/terminals/second/ws?from=0" "$(grant 1000 tty)" "send=echo \$0-\$((5+5))\n" expect=-10'
is 'a bad name' "$(ROLE=terminal status GET /v1/ves/1000/terminals/A/ws)" 404

is 'the VE shows two' "$(api GET /v1/ves/1000 | json status.terminals)" 2

# two megabytes: the ring keeps one; who comes late gets the screen
yes_ 'a flood arrives whole' 'ws "$M?from=$seq" "$(grant 1000 tty)" "send=head -c 2000000 /dev/zero | tr \"\\\\\\\\0\" x; echo; echo flood-\$((6+6))\n" expect=flood-12 len=2000000'
yes_ 'who lost his place gets a snapshot' 'resume snapshot expect=flood-12 "send=echo three-\$((1+1))\n" expect=three-2'

# a thousand lines are asked for; the screen has as many as its cells allow
B='/v1/ves/1000/terminals/big/ws?cols=1000&rows=1000'
seq=$(ws "$B" "$(grant 1000 tty)" 'send=echo big-$((1+1))\n' expect=big-2 seq)
yes_ 'a screen has its bounds' 'ws "$B" "$(grant 1000 tty)" "send=stty size\n" "expect=65 1000"'
yes_ 'a large screen is filled' 'ws "$B&from=$seq" "$(grant 1000 tty)" "send=yes \"\$(printf \"\\\\033[31mw\\\\033[32mw\")\" | tr -d [:space:] | head -c 1400004; echo; echo full-\$((6+7))\n" expect=full-13'
yes_ 'its snapshot is longer than a message, and whole' 'ws "$B&from=$seq" "$(grant 1000 tty)" snapshot len=120000 expect=full-13 "send=echo after-\$((6+8))\n" expect=after-14'
B2=$(echo "$B" | sed s/big/big2/) B3=$(echo "$B" | sed s/big/big3/)
yes_ 'a second has its bounds' 'ws "$B2" "$(grant 1000 tty)" "send=stty size\n" "expect=65 1000"'
yes_ 'a third what the VE has left' 'ws "$B3" "$(grant 1000 tty)" "send=stty size\n" "expect=27 1000"'
for b in "$B3" "$B2" "$B"; do ws "$b" "$(grant 1000 tty)" 'send=exit\n' close=1000; done

# credit: a client that acknowledges nothing stops the shell, and nothing is lost
seq=$(ws "$M" "$(grant 1000 tty)" 'send=echo four-$((1+1))\n' expect=four-2 seq)
yes_ 'without acknowledgement the shell waits' 'ws "$M?from=$seq" "$(grant 1000 tty)" noack "send=head -c 600000 /dev/zero | tr \"\\\\\\\\0\" y; echo end-\$((7+7)) >'"$T"'/ended\n" len=130000'

yes_ 'with them it goes on' 'ws "$M?from=$seq" "$(grant 1000 tty)" len=600000'

yes_ 'a large paste into a program that answers' \
	'ws "$M" "$(grant 1000 tty)" hello "send=cat\n" expect=cat fill=400000 len=800000 "send=\x04" "send=echo pasted-\$((8+8))\n" expect=pasted-16'

yes_ 'exit ends the terminal with its status' 'ws "$M" "$(grant 1000 tty)" "send=exit 3\n" exit=3 close=1000'
yes_ 'and main is made anew' 'ws "$M?from=0" "$(grant 1000 tty)" "send=echo five-\$((1+1))\n" expect=five-2'

X='/v1/ves/1000/terminals/x/ws?kind=exec'
yes_ 'exec: output, errors, status' 'ws "$X" "$(grant 1000 exec)" -c "echo out; echo err >&2; exit 5" expect=out stderr=err exit=5 close=1000'
yes_ 'exec: input and its end' 'ws "$X" "$(grant 1000 exec)" -c "cat; echo over" "send=given\n" eof expect=given expect=over exit=0'
yes_ 'exec: much output' 'ws "$X" "$(grant 1000 exec)" -c "head -c 3000000 /dev/zero | tr \"\\\\0\" z" len=3000000 exit=0'
yes_ 'exec: killed by a signal' 'ws "$X" "$(grant 1000 exec)" -c "kill -9 \$\$" exit=137'
yes_ 'exec: a command that is not there' 'ws "$X" "$(grant 1000 exec)" -c "no-such-command" exit=127'
yes_ 'exec: a child that stays does not hold it' 'ws "$X" "$(grant 1000 exec)" -c "sleep 30 & echo left" expect=left exit=0'
W='/v1/ves/1000/terminals/run/ws?from=0'
yes_ 'tty with a command: a terminal of its own' 'ws "$W" "$(grant 1000 tty)" -c "test -t 0 && test -t 1 && echo on-\$((40+2)); stty size; exit 5" expect=on-42 "expect=24 80" exit=5'
yes_ 'the command counts once' 'ws "$W" "$(grant 1000 tty)" "send=echo seven-\$((1+1))\n" expect=seven-2'
yes_ 'one that is there runs on' 'ws "$W" "$(grant 1000 tty)" -c "exit 9" "send=exit 4\n" exit=4'
no_ 'exec: not with a grant for a terminal' 'ws "$X" "$(grant 1000 tty)" -c id exit=0'

yes_ 'a message of no kind closes' 'ws "$M" "$(grant 1000 tty)" hello raw=63 close=1008'
yes_ 'a message of the server closes' 'ws "$M" "$(grant 1000 tty)" hello raw=0500000001 close=1008'
yes_ 'a size of zero closes' 'ws "$M" "$(grant 1000 tty)" hello raw=1200000018 close=1008'

# a stopped VE is woken by who comes
act 1000 stop >/dev/null; await_state 1000 stopped
yes_ 'a terminal wakes the VE' 'ws "$M" "$(grant 1000 tty)" hello "send=echo six-\$((1+1))\n" expect=six-2'
is 'it runs' "$(state_of 1000)" running

api PUT /v1/ves/1001 -H 'If-None-Match: *' -d '{"template":"tiny","hostname":"broken","desired":"stopped","generation":1}' >/dev/null
yes_ 'a VE that cannot start: the stream ends, it does not wait' \
	'ws /v1/ves/1001/terminals/main/ws "$(grant 1001 tty)" close=1001'

# suspension: at once, and for good
( ws "$M" "$(grant 1000 tty)" hello close=4403 && echo closed >"$T/closed" ) &
waiter=$!
( ws "$X" "$(grant 1000 exec)" -c 'sleep 60' hello close=4403 && echo closed >"$T/closed2" ) &
waiter2=$!
until_ok 10 sh -c "[ \$(grep -c 'terminal x of VE 1000' '$T/log') -gt 7 ]"
read -r init _ <"$T/fake/ve-1000"
kill -STOP "$init" # it does not stop before it goes on
act 1000 suspend >/dev/null
wait $waiter; wait $waiter2
is 'suspension closes every stream with 4403' "$(cat "$T/closed" "$T/closed2" 2>&1 | tr '\n' ' ')" 'closed closed '
is 'without waiting for the VE' "$(state_of 1000)" stopping
kill -CONT "$init"
await_state 1000 stopped
no_ 'it is not woken' 'ws "$M" "$(grant 1000 tty)" hello'
has 'but told why' "$(tail -n 3 "$T/ws.log")" 403
is 'nor started' "$(act 1000 start | json title)" suspended
act 1000 unsuspend >/dev/null
if await_state 1000 running; then ok 'lifted: it comes back'; else not_ok 'lifted: it comes back'; fi
is 'no such VE' "$(ROLE=terminal status GET /v1/ves/77/terminals/main/ws -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
	-H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' -H 'Sec-WebSocket-Protocol: ve-term.v1' \
	-H "Ve-Grant: $(grant 77 tty)")" 404
is 'no part died' "$(grep -c 'starting it again' "$T/log")" 0
done_testing
