#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sleep on the real kernel: activity as it counts it, memory in zram, the address gone and lent on,
# and a VE that goes on where it was.
[ -n "${INSIDE:-}" ] || exec "$(dirname "$0")/agent-run" "$0" --timeout 300
. ./t2-lib.sh
make_pki
ip addr add 192.0.2.1/32 dev lo # the node's own
echo 256M >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null && swapon /dev/zram0 || not_ok 'zram'
configure 'quarantine_ms 500' 'held 1'
start_agent
run() { _v=$1; shift; "$BIN/vectl" --socket "$T/run/ctl.sock" exec "$_v" "$@"; }
rule() { api PUT /v1/ves/1000 -H 'If-Match: *' -d "$(spec running "$1" ",\"idle\":{$2}")" >/dev/null; }
word() { case "$(member 1000 status.activity)" in "$1"*) true ;; *) false ;; esac; }
M='/v1/ves/1000/terminals/main/ws?from=0'
create 1000 >/dev/null; await_state 1000 running
n=$(api PUT /v1/blocks/b1 -d '{"range":"10.77.0.1/32","term_ms":600000,"nonce":""}' | json nonce)
api PUT /v1/blocks/b1 -d "{\"range\":\"10.77.0.1/32\",\"term_ms\":600000,\"nonce\":\"$n\"}" >/dev/null
until_ok 20 has_ip 1000
create 1001 >/dev/null; await_state 1001 running
is 'one address for two' "$(member 1000 status.waiting),$(member 1001 status.waiting)" null,1

# what the kernel counts
ws "$M" "$(grant 1000 tty)" 'send=marker=$((40+2)); echo start-$marker\n' expect=start-42 || not_ok 'terminal'
run 1000 '(while :; do nc -l -p 8080 -e echo hi; done) >/dev/null 2>&1 &'
ping -c 2 -W 5 10.77.0.1 >/dev/null; is 'the node reaches it' $? 0
if word 'a TCP'; then not_ok 'an echo request is no activity'; else ok 'an echo request is no activity'; fi
visit() { [ "$(nc -w 5 10.77.0.1 8080 </dev/null 2>/dev/null)" = hi ]; }
# Few, and a look after each: many would be work.
seen() { visit; until_ok 15 word 'a TCP connection from 192.0.2.1 to port 8080'; }
if until_ok 60 seen; then ok 'a connection is'; else not_ok 'a connection is' "$(member 1000 status.activity)"; fi
run 1000 'while :; do :; done & echo $! >/tmp/job' >/dev/null 2>&1
if until_ok 40 word 'CPU in use'; then ok 'work is'; else not_ok 'work is' "$(member 1000 status.activity)"; fi
run 1000 'kill $(cat /tmp/job)'
run 1000 'head -c 20000000 /dev/urandom >/tmp/held; (exec 9</tmp/held; x=$(head -c 3000000 /dev/zero | tr "\0" y); while :; do sleep 1000; echo $x >/dev/null; done) >/dev/null 2>&1 &'

group=$(group_of 1000)
before=$(cat "$group/memory.current")
rule 2 '"idle_after_s":3,"warn_s":1'
if await_state 1000 frozen; then ok 'it sleeps'; else not_ok 'it sleeps' "$(member 1000 status)"; fi
is 'the kernel says so' "$(awk '$1 == 1000 { print $2 }' /proc/ve)" frozen
if until_ok 20 has_ip 1001; then ok 'its address is lent on'; else not_ok 'its address is lent on' "$(cat /proc/net/venet)"; fi
is 'and is nobody'\''s else' "$(awk '$1 == "10.77.0.1" { print $2 }' /proc/net/venet)" 1001
smaller() { [ "$(cat "$group/memory.current")" -lt $((before / 2)) ]; }
if until_ok 30 smaller; then ok 'its memory is given back'; else not_ok 'its memory is given back' "$before then $(cat "$group/memory.current")"; fi
say "# memory of it: $before bytes awake, $(cat "$group/memory.current") asleep, swapped $(cat "$group/memory.swap.current")"

rule 3 '"idle_after_s":3600'
if ws "$M" "$(grant 1000 tty)" expect=start-42 'send=echo again-$marker\n' expect=again-42; then
	ok 'a visit wakes it: the shell goes on'
else
	not_ok 'a visit wakes it: the shell goes on'
fi
is 'awake' "$(state_of 1000),$(member 1000 status.waiting)" running,1
act 1001 stop >/dev/null
if until_ok 30 has_ip 1000; then ok 'it gets the next address'; else not_ok 'it gets the next address'; fi
has 'inside too' "$(run 1000 'ip addr show dev venet0')" 10.77.0.1
if until_ok 40 visit; then ok 'what listens is reached again'; else not_ok 'what listens is reached again'; fi

# a port by way of the agent: from no localhost, with no address, out of sleep
tcp() { "$BIN/t2tool" tcp "$T" "$PORT" "/v1/ves/1000/ports/$1" "$(grant 1000 "$1")" </dev/null 2>"$T/said"; }
run 1000 '(while :; do nc -l -p 8081 -e sh -c "echo from \$NCAT_REMOTE_ADDR; netstat -tn | grep :8081"; done) >/dev/null 2>&1 &
(while :; do nc -l -s 127.0.0.1 -p 8082 -e echo local; done) >/dev/null 2>&1 &'
op=$(act 1000 idle | json id); op_end "$op" >/dev/null
op=$(api DELETE /v1/blocks/b1 | json id)
is 'asleep, without any address' "$(state_of 1000),$(member 1000 status.ipv4)" frozen,null
has 'its port answers' "$(tcp 8081)" 192.0.0.8
is 'it woke' "$(state_of 1000),$(member 1000 status.ipv4)" running,null
tcp 8082; has 'what is for its localhost stays closed' "$(cat "$T/said")" 'answered 502'
has 'as does what nobody listens on' "$(tcp 8083 || cat "$T/said")" 'answered 502'
op=$(act 1000 idle | json id); op_end "$op" >/dev/null
op=$(act 1000 stop | json id)
is 'a sleeper can be stopped' "$(op_end "$op" | json state),$(state_of 1000)" succeeded,stopped

# the last step: packed, and unpacked by who comes
act 1000 start >/dev/null; await_state 1000 running
run 1000 'echo kept >/root/kept; chmod 600 /root/kept; ln /root/kept /root/again; rm /etc/passwd; mkdir /root/d; chown 7:8 /root/d; ln -s kept /root/link; mkfifo /root/pipe; chmod 4711 /root/again; sync'
look() { run 1000 'ls -ln /root /etc/passwd 2>&1 | sed "s/ [A-Z][a-z][a-z] .*:.. / /"; cat /root/link'; }
before=$(look)
op=$(act 1000 stop | json id); op_end "$op" >/dev/null
op=$(act 1000 archive | json id)
is 'its tree is packed' "$(op_end "$op" | json state),$(state_of 1000)" succeeded,archived
if [ -f "$PRIVATE/.packed/1000" ] && [ ! -d "$PRIVATE/1000" ]; then ok 'into one file'; else not_ok 'into one file' "$(ls -la "$PRIVATE")"; fi
is 'who comes finds it as it was' "$(look)" "$before"
is 'and runs' "$(state_of 1000)" running
is 'no part did what it may not' "$(grep -c "sandbox's list" "$T/log")" 0
done_testing
