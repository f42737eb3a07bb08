#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# New certificates on SIGHUP: clients are shown them, a new authority counts, nothing that is open ends, bad ones change nothing.
. "$(dirname "$0")/t2-lib.sh"
make_pki
authority next
cp "$T/ca.crt" "$T/first.crt"
configure
start_agent
yes_() { if eval "$2"; then ok "$1"; else not_ok "$1" "$(tail -n 3 "$T/log")"; fi; }
print_of() { openssl x509 -noout -fingerprint -sha256; }
shown() { openssl s_client -connect "127.0.0.1:$PORT" -cert "$T/control.crt" -key "$T/control.key" </dev/null 2>/dev/null | print_of; }
is_shown() { [ "$(shown)" = "$(print_of <"$T/node.crt")" ]; }
said() { [ "$(grep -c "$1" "$T/log")" -ge "$2" ]; }
api_pid=$(part_pid api)
create 1000 >/dev/null; await_state 1000 running
ws /v1/ves/1000/terminals/main/ws "$(grant 1000 tty)" patience=150 hello "file=$T/go" 'send=echo st""ill\n' expect=still && echo yes >"$T/kept" &
kept=$!
open() { [ "$(api GET /v1/ves/1000 | json status.terminals)" = 1 ]; }
yes_ 'a terminal is open' 'until_ok 20 open'

old=$(shown)
cert node URI:urn:vestibule:node:n1
is 'without a signal nothing changes' "$(shown)" "$old"
kill -HUP "$AGENT"
yes_ 'after SIGHUP clients see the new one' 'until_ok 20 is_shown'
new=$(shown)
cp "$T/node.key" "$T/good.key"; cp "$T/control.key" "$T/node.key"
kill -HUP "$AGENT"
yes_ 'a key of another is told' 'until_ok 20 said "certificates stay as they were: the key" 1'
cp "$T/good.key" "$T/node.key"; : >"$T/node.crt"
kill -HUP "$AGENT"
yes_ 'an empty file too' 'until_ok 20 said "certificates stay as they were: a file is empty" 1'
rm "$T/node.crt"
kill -HUP "$AGENT"
yes_ 'and one that is missing' 'until_ok 20 said "node.crt: No such file" 1'
is 'and nothing has changed' "$(shown)" "$new"

# another authority, for who comes from now on
cert node URI:urn:vestibule:node:n1 2 next
cert second URI:urn:vestibule:role:control 2 next
cp "$T/next.crt" "$T/ca.crt"
kill -HUP "$AGENT"
comes() { [ "$(ROLE=second status GET /v1/node)" = 200 ]; }
yes_ 'a certificate of the new authority is taken' 'until_ok 20 comes'
if [ "$(status GET /v1/node 2>/dev/null)" = 200 ]; then not_ok 'one of the old is not'; else ok 'one of the old is not'; fi
: >"$T/go"; wait $kept
is 'the terminal went on all the while' "$(cat "$T/kept" 2>&1)" yes
is 'in the same process' "$(part_pid api)" "$api_pid"
done_testing
