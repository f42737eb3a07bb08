#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Blocks, leases, the waiting line, quarantine and fencing, with terms of seconds.
. "$(dirname "$0")/t2-lib.sh"
make_pki
configure 'quarantine_ms 1500'
start_agent

lend() { # RANGE TERM NONCE [ACKED]
	api PUT /v1/blocks/b1 -d "{\"range\":\"$1\",\"term_ms\":$2,\"nonce\":\"$3\"${4:+,\"acked_epoch\":$4}}"
}
no_ip() { [ "$(ip_of "$1")" = null ]; }
table() { cat "$T/fake/addr-$1" 2>/dev/null; }

create 1000 >/dev/null; create 1001 >/dev/null; create 1002 >/dev/null
await_state 1000 running; await_state 1001 running; await_state 1002 running
is 'without a block: started, no address' "$(ip_of 1000)" null
is 'an IPv6 block is refused' "$(lend fd00::/120 60000 '' | json status)" 422
is 'a range with host bits is refused' "$(lend 10.9.0.1/24 60000 '' | json status)" 422
is 'a range of nobody is refused' "$(lend 127.1.0.0/24 60000 '' | json status)" 422

nonce=$(lend 10.9.0.0/31 60000 '' | json nonce)
is 'the first call lends nothing' "$(api GET /v1/node | json blocks.0.remaining_ms)" 0
is 'a wrong nonce prolongs nothing' "$(lend 10.9.0.0/31 60000 0123456789abcdef0123456789abcdef | json remaining_ms)" 0
nonce=$(lend 10.9.0.0/31 60000 '' | json nonce)
r=$(lend 10.9.0.0/31 60000 "$nonce")
nonce=$(echo "$r" | json nonce)
left=$(echo "$r" | json remaining_ms)
if [ "$left" -gt 40000 ] && [ "$left" -le 45000 ]; then ok 'the echo lends three quarters'; else not_ok 'the echo lends three quarters' "$left"; fi

with_ip() { api GET /v1/ves | tr '{' '\n' | grep -c '"ipv4":"'; }
two_have() { [ "$(with_ip)" = 2 ]; }
if until_ok 10 two_have; then ok 'two of three get the two addresses'; else not_ok 'two of three get the two addresses' "$(with_ip)"; fi
holder=1000; has_ip 1000 || holder=1001
waiter=1002; has_ip 1002 && { waiter=1001; has_ip 1001 && waiter=1000; }
address=$(ip_of $holder)
is 'the kernel knows whose' "$(table "$address" | cut -d' ' -f1)" "$holder"
epoch=$(api GET /v1/ves/$holder | json status.lease_epoch)
is 'with the epoch' "$(table "$address" | cut -d' ' -f2)" "$epoch"

start=$(date +%s%N)
act $holder stop >/dev/null; await_state $holder stopped
is 'a stop gives it back' "$(ip_of $holder)" null
if until_ok 10 has_ip $waiter; then ok 'who waits gets it'; else not_ok 'who waits gets it'; fi
rest=$((($(date +%s%N) - start) / 1000000))
if [ $rest -ge 1500 ]; then ok 'after the quarantine'; else not_ok 'after the quarantine' "$rest ms"; fi
is 'the same address' "$(ip_of $waiter)" "$address"
if [ "$(api GET /v1/ves/$waiter | json status.lease_epoch)" -gt "$epoch" ]; then ok 'with a later epoch'; else not_ok 'with a later epoch'; fi

r=$(lend 10.9.0.0/31 60000 "$nonce"); nonce=$(echo "$r" | json nonce)
is 'the lender is told of the end' "$(echo "$r" | json released.0.epoch)" "$epoch"
r=$(lend 10.9.0.0/31 60000 "$nonce"); nonce=$(echo "$r" | json nonce)
is 'again, until it says that it knows' "$(echo "$r" | json released.0.epoch)" "$epoch"
r=$(lend 10.9.0.0/31 60000 "$nonce" "$epoch"); nonce=$(echo "$r" | json nonce)
is 'then no more' "$(echo "$r" | json 'released.#')" 0
is 'another range while leases stand' "$(lend 10.9.1.0/31 60000 "$nonce" | json status)" 409
is 'a range that meets another block' "$(api PUT /v1/blocks/b2 -d '{"range":"10.9.0.0/24","term_ms":60000,"nonce":""}' | json status)" 422

# fencing: a short term that nobody renews
r=$(api DELETE /v1/blocks/b1)
all_gone() { [ "$(with_ip)" = 0 ] && [ "$(api GET /v1/node | json 'blocks.#')" = 0 ]; }
if until_ok 10 all_gone; then ok 'a block that is taken back leaves the VEs'; else not_ok 'a block that is taken back leaves the VEs' "$(api GET /v1/node)"; fi
is 'who run on' "$(state_of $waiter)" running
nonce=$(lend 10.9.2.0/30 4000 '' | json nonce)
lend 10.9.2.0/30 4000 "$nonce" >/dev/null
start=$(date +%s%N)
if until_ok 10 has_ip $waiter; then ok 'a short loan is used'; else not_ok 'a short loan is used'; fi
address=$(ip_of $waiter)
if until_ok 10 no_ip $waiter; then ok 'and ends by itself'; else not_ok 'and ends by itself'; fi
took=$((($(date +%s%N) - start) / 1000000))
if [ $took -le 4000 ]; then ok 'before the term does'; else not_ok 'before the term does' "$took ms"; fi
is 'the kernel has let go' "$(table "$address")" ''
is 'the VE runs on' "$(state_of $waiter)" running
if ws "/v1/ves/$waiter/terminals/x/ws?kind=exec" "$(grant "$waiter" exec)" -c 'echo alive' expect=alive exit=0; then
	ok 'and can be entered'
else
	not_ok 'and can be entered'
fi

# the news that a block goes on comes when its end has: priv has let go by then, api has not looked
nonce=$(lend 10.9.2.0/30 8000 '' | json nonce)
nonce=$(lend 10.9.2.0/30 8000 "$nonce" | json nonce)
until_ok 10 has_ip "$waiter"
address=$(ip_of "$waiter")
taken_out() { [ ! -e "$T/fake/addr-$address" ]; }
: >"$T/state/api/hold-renew-written"
lend 10.9.2.0/30 600000 "$nonce" >"$T/late" &
late=$!
if until_ok 20 taken_out; then ok 'a renewal that comes late: the address is out'; else not_ok 'a renewal that comes late: the address is out'; fi
rm "$T/state/api/hold-renew-written"
wait $late
if [ "$(json remaining_ms <"$T/late")" -gt 60000 ]; then ok 'it lends the block on'; else not_ok 'it lends the block on' "$(cat "$T/late")"; fi
in_again() { [ "$(table "$address" | cut -d' ' -f1)" = "$waiter" ]; }
if until_ok 10 in_again; then ok 'the address is in again'; else not_ok 'the address is in again' "$(tail -n 5 "$T/log")"; fi
is 'and the lease goes on' "$(ip_of "$waiter")" "$address"
api DELETE /v1/blocks/b1 >/dev/null
until_ok 10 all_gone

# api hangs and priv dies: the loan ends all the same
nonce=$(api PUT /v1/blocks/b4 -d '{"range":"10.9.4.0/31","term_ms":6000,"nonce":""}' | json nonce)
api PUT /v1/blocks/b4 -d "{\"range\":\"10.9.4.0/31\",\"term_ms\":6000,\"nonce\":\"$nonce\"}" >/dev/null
start=$(date +%s%N)
until_ok 10 has_ip "$waiter"
address=$(ip_of "$waiter")
is 'a loan before api hangs' "$(table "$address" | cut -d' ' -f1)" "$waiter"
hung=$(part_pid api)
kill -STOP "$hung"
kill -9 "$(part_pid priv)"
if until_ok 10 taken_out; then ok 'api hangs, priv died: the address goes all the same'; else not_ok 'api hangs, priv died: the address goes all the same'; fi
took=$((($(date +%s%N) - start) / 1000000))
if [ $took -le 6000 ]; then ok 'before the term ends'; else not_ok 'before the term ends' "$took ms"; fi
kill -CONT "$hung"
if until_ok 10 no_ip "$waiter"; then ok 'and api agrees when it is back'; else not_ok 'and api agrees when it is back'; fi

# priv dies before the supervisor has read what it gave it to keep
kill -STOP "$AGENT"
block b5 10.9.5.0/31 8000
two_stand() { [ "$(cat "$T"/fake/addr-10.9.5.* 2>/dev/null | wc -l)" = 2 ]; }
if until_ok 10 two_stand; then ok 'two addresses that nobody noted yet'; else not_ok 'two addresses that nobody noted yet'; fi
hung=$(part_pid api)
kill -STOP "$hung"
dead=$(part_pid priv)
kill -9 "$dead"
until_ok 10 grep -q '^State:.*zombie' "/proc/$dead/status"
kill -CONT "$AGENT"
none_stands() { [ -z "$(cat "$T"/fake/addr-10.9.5.* 2>/dev/null)" ]; }
if until_ok 10 none_stands; then ok 'its next life knows both'; else not_ok 'its next life knows both' "$(ls "$T/fake")"; fi
kill -CONT "$hung"
until_ok 10 no_ip "$waiter"

# everything dies, and with it every note; the kernel has the address
block b6 10.9.6.0/31 12000
until_ok 10 has_ip "$waiter"
address=$(ip_of "$waiter")
epoch=$(api GET "/v1/ves/$waiter" | json status.lease_epoch)
kill -9 "$AGENT"; wait "$AGENT" 2>/dev/null
echo "$waiter 0" >"$T/fake/addr-$address"
start_agent
told_again() { [ "$(table "$address")" = "$waiter $epoch" ]; }
if until_ok 10 told_again; then ok 'priv is told again what stands'; else not_ok 'priv is told again what stands' "$(table "$address")" "$epoch"; fi
is 'the lease goes on' "$(ip_of "$waiter")" "$address"
hung=$(part_pid api)
kill -STOP "$hung"
if until_ok 15 taken_out; then ok 'and takes it out when the term ends'; else not_ok 'and takes it out when the term ends'; fi
kill -CONT "$hung"
until_ok 10 no_ip "$waiter"

# somebody has the address whom the agent does not know of
echo '4242 9' >"$T/fake/addr-10.9.3.0"
nonce=$(api PUT /v1/blocks/b3 -d '{"range":"10.9.3.0/31","term_ms":60000,"nonce":""}' | json nonce)
api PUT /v1/blocks/b3 -d "{\"range\":\"10.9.3.0/31\",\"term_ms\":60000,\"nonce\":\"$nonce\"}" >/dev/null
until_ok 10 has_ip "$waiter"
is 'an address in use is passed over' "$(table 10.9.3.0)" '4242 9'
has 'and said so' "$(cat "$T/log")" '10.9.3.0'
done_testing
