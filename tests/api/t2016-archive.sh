#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The last step down: a stopped VE's private tree packed, by action and by time, unpacked by who comes, and killed half way.
. "$(dirname "$0")/t2-lib.sh"
make_pki
configure
start_agent
P=$T/private
yes_() { if eval "$2"; then ok "$1"; else not_ok "$1" "$(tail -n 3 "$T/log")"; fi; }
does() { op=$(act "$1" "$2" | json id); op_end "$op" | json state; }
print_tree() { (cd "$P/1000" 2>/dev/null && find . -printf '%p %y %m %U:%G %s %l %n %t\n' | grep -v '^\. ' | sort); }
is_packed() { [ -f "$P/.packed/$1" ] && [ ! -d "$P/$1" ]; }
create 1000 >/dev/null; await_state 1000 running
mkdir -p "$P/1000/upper/a/b c" "$P/1000/work"
echo text >"$P/1000/upper/a/b c/file"
ln "$P/1000/upper/a/b c/file" "$P/1000/upper/a/again"
ln -s /etc/passwd "$P/1000/upper/a/link"
mkfifo "$P/1000/upper/a/pipe"
truncate -s 10G "$P/1000/upper/a/hole"
chmod 4755 "$P/1000/upper/a/again"
chmod 1777 "$P/1000/upper/a"
is 'one that runs is not packed' "$(act 1000 archive | json status)" 409
is 'stopped first' "$(does 1000 stop)" succeeded
before=$(print_tree)
is 'then it is' "$(does 1000 archive),$(state_of 1000)" succeeded,archived
yes_ 'the tree is one file' 'is_packed 1000'
yes_ 'a small one' '[ "$(stat -c %s "$P/.packed/1000")" -lt 100000 ]'
is 'the node counts it' "$(api GET /v1/node | json ves.archived)" 1
is 'twice is once' "$(does 1000 archive),$(state_of 1000)" succeeded,archived
is 'restored by action' "$(does 1000 restore),$(state_of 1000)" succeeded,stopped
is 'as it was' "$(print_tree)" "$before"
yes_ 'the pack is gone' '[ ! -e "$P/.packed/1000" ]'
is 'one name for a file of two names' "$(stat -c %h "$P/1000/upper/a/again")" 2
does 1000 archive >/dev/null
is 'a start restores' "$(does 1000 start),$(state_of 1000)" succeeded,running
is 'as it was' "$(print_tree)" "$before"
does 1000 stop >/dev/null; does 1000 archive >/dev/null
yes_ 'a visit restores and starts' 'ws "/v1/ves/1000/terminals/x/ws?kind=exec" "$(grant 1000 exec)" -c "echo up" patience=60 expect=up exit=0'
is 'it runs' "$(state_of 1000)" running

# suspended while it is unpacked
does 1000 stop >/dev/null; does 1000 archive >/dev/null
kill -STOP "$(part_pid priv)"
op=$(act 1000 start | json id)
unpacks() { [ "$(api GET "/v1/operations/$op" | json stage)" = restoring ]; }
yes_ 'a start unpacks' 'until_ok 20 unpacks'
is 'suspended meanwhile' "$(act 1000 suspend | json status)" 409
kill -CONT "$(part_pid priv)"
has 'it is not started' "$(op_end "$op" | json error.detail)" 'is suspended'
is 'but restored' "$(state_of 1000)" stopped
does 1000 unsuspend >/dev/null
is 'and starts when it may' "$(does 1000 start),$(state_of 1000)" succeeded,running

# by time
api PUT /v1/ves/1000 -H 'If-Match: *' -d "$(spec running 2 ',"idle":{"archive_after_s":1}')" >/dev/null
is 'the rule is kept' "$(api GET /v1/ves/1000 | json spec.idle.archive_after_s)" 1
is 'one that runs is left alone' "$(state_of 1000)" running
does 1000 stop >/dev/null
yes_ 'stopped for long: archived' 'await_state 1000 archived'
does 1000 restore >/dev/null

api PUT /v1/ves/1000 -H 'If-Match: *' -d "$(spec stopped 3 ',"idle":{"archive_after_s":0}')" >/dev/null

# one that cannot be packed is not tried over and over
create 1002 stopped ',"idle":{"archive_after_s":1}' >/dev/null
ln -s / "$P/1002"
failed() { grep -q 'operation .* on VE 1002:' "$T/log"; }
yes_ 'a tree that is a link: not archived' 'until_ok 40 failed'
create 1003 stopped ',"idle":{"archive_after_s":1}' >/dev/null
yes_ 'the next one is' 'await_state 1003 archived'
is 'and the first was tried once' "$(grep -c 'operation .* on VE 1002:' "$T/log")" 1
rm "$P/1002"

# killed half way, at each place; it is done again, nothing is lost
for place in archive-asked priv-packed; do
	arm $place
	act 1000 archive >/dev/null 2>&1
	yes_ "$place is on the way" 'until_ok 20 fired $place'
	disarm $place
	until_ok 30 is_ready
	yes_ "$place: archived all the same" 'await_state 1000 archived && is_packed 1000'
	does 1000 restore >/dev/null
	is "$place: nothing is lost" "$(print_tree)" "$before"
done
for place in restore-asked priv-unpacked; do
	does 1000 archive >/dev/null
	arm $place
	act 1000 restore >/dev/null 2>&1
	yes_ "$place is on the way" 'until_ok 20 fired $place'
	disarm $place
	until_ok 30 is_ready
	yes_ "$place: restored all the same" 'await_state 1000 stopped'
	is "$place: nothing is lost" "$(print_tree)" "$before"
done

# what is damaged is not taken for whole
does 1000 archive >/dev/null
cp "$P/.packed/1000" "$T/good"
head -c 200 "$T/good" >"$P/.packed/1000"
op=$(act 1000 start | json id)
has 'a damaged pack is told' "$(op_end "$op" | json error.detail)" damaged
is 'and kept' "$(state_of 1000),$(stat -c %s "$P/.packed/1000")" archived,200
cp "$T/good" "$P/.packed/1000"
is 'mended it restores' "$(does 1000 restore)" succeeded
is 'as it was' "$(print_tree)" "$before"
cp "$T/good" "$P/.packed/1000"
is 'one whose packer died before it could say so starts' "$(does 1000 start),$(state_of 1000)" succeeded,running
is 'as it was' "$(print_tree)" "$before"
yes_ 'the pack is gone' '[ ! -e "$P/.packed/1000" ]'
does 1000 stop >/dev/null

does 1000 archive >/dev/null
op=$(api DELETE /v1/ves/1000 | json id)
is 'deleted' "$(op_end "$op" | json state)" succeeded
yes_ 'with its pack' '[ ! -e "$P/.packed/1000" ]'
create 1001 stopped >/dev/null
is 'one that never ran' "$(does 1001 archive),$(state_of 1001),$(does 1001 start)" succeeded,archived,succeeded
done_testing
