#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The last step as its subscriber sees it: what was stopped for long is packed away, says so, and comes back whole by
# whoever comes; the key in a letter keeps it from that.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/stack.sh
see() { api GET /ves/1000; printf %s "$BODY" | jq -r "$1"; }
act() { api POST /ves/1000/actions "{\"action\":\"$1\"}"; }
idle() { [ "$(pg_sql "select count(*) from ve.job where state in ('queued', 'running')")" = 0 ]; }
plan() { pg_sql "update ve.plan set archive_after = '$1' where name = 'trial'; select ve.plan_apply(array[1000])" >/dev/null; await 60 idle; }

signup ann@example.net
await 60 ve_is 1000 running
await 60 idle
upper=$(find "$PG_DIR/private/1000" -maxdepth 1 -name upper)
ok 'a VE has files of its own' sh -c 'echo kept >"$1/file" && head -c 300000 /dev/urandom >"$1/big"' sh "$upper"
sum=$(sha256sum <"$upper/big")
plan '1 hour'
act stop
await 60 ve_is 1000 stopped
await 60 idle
like 'stopped, it says when it is packed away' "$(see .archive_at)" '^20..-'
plan '2 seconds'
ok 'when that is over it is' await 60 ve_is 1000 archived
is 'for its subscriber too' "$(see .state)" archived
ok 'its files are not where they were' test ! -e "$upper/file"
http GET /ves/1000
like 'its page says so' "$BODY" 'Packed away: every file is there'
await 60 idle
is 'and does not bring back what was stopped by hand' "$(ve_state 1000)" archived
plan '1 hour'
act start
is 'a start is taken' "$STATUS" 202
ok 'and brings it back' await 60 ve_is 1000 running
is 'whole' "$(cat "$upper/file" && sha256sum <"$upper/big")" "$(printf 'kept\n%s' "$sum")"
await 60 idle

# one that went down the ladder by itself is brought back by a visit
act idle
await 60 ve_is 1000 frozen
await 60 idle
pg_sql "update ve.plan set stop_after = '1 second', archive_after = '2 seconds' where name = 'trial'; select ve.plan_apply(array[1000])" >/dev/null
ok 'asleep, stopped, packed away' await 90 ve_is 1000 archived
await 60 idle
pg_sql "update ve.plan set stop_after = '1 hour', archive_after = '1 hour' where name = 'trial'; select ve.plan_apply(array[1000])" >/dev/null
await 60 idle
is 'a new plan does not bring it back' "$(ve_state 1000)" archived
http GET /ves/1000
ok 'opening its page goes up all steps' await 60 ve_is 1000 running
is 'and nothing is lost' "$(sha256sum <"$upper/big")" "$sum"
await 60 idle
act stop
await 60 ve_is 1000 stopped
await 60 idle
plan '2 seconds'
ok 'packed away once more' await 60 ve_is 1000 archived
await 60 idle
ok 'what was packed goes bad' sh -c 'test -s "$1" && echo bad >"$1"' sh "$PG_DIR/private/.packed/1000"
act reinstall
ok 'a new beginning does not ask for it' await 60 ve_is 1000 running
ok 'has nothing of the old one' test ! -e "$upper/file"
tap_end
