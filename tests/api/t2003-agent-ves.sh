#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The life of a VE by REST: preconditions, operations, idempotency, ends of every kind.
. "$(dirname "$0")/t2-lib.sh"
make_pki
configure 'stop_ms 3000'
start_agent

is 'neither precondition' "$(status PUT /v1/ves/1000 -d "$(spec stopped 1)")" 428
is 'both preconditions' "$(status PUT /v1/ves/1000 -H 'If-None-Match: *' -H 'If-Match: *' -d "$(spec stopped 1)")" 428
is 'update of what is not there' "$(status PUT /v1/ves/1000 -H 'If-Match: *' -d "$(spec stopped 1)")" 404
is 'created stopped: 201' "$(status PUT /v1/ves/1000 -H 'If-None-Match: *' -d "$(spec stopped 1)")" 201
is 'created twice' "$(status PUT /v1/ves/1000 -H 'If-None-Match: *' -d "$(spec stopped 1)")" 412
is 'created running: 202' "$(status PUT /v1/ves/1001 -H 'If-None-Match: *' -d "$(spec running 1)")" 202
if await_state 1001 running; then ok 'it comes up by itself'; else not_ok 'it comes up by itself'; fi

etag() { api GET "/v1/ves/$1" -o /dev/null -D - | sed -n 's/^[Ee][Tt]ag: *//p' | tr -d '\r'; }
old=$(etag 1000)
is 'nothing new: 304' "$(status GET /v1/ves/1000 -H "If-None-Match: $old")" 304
is 'something new: at once' "$(status GET '/v1/ves/1000?wait=20' -H 'If-None-Match: "0-0"')" 200
is 'update with the tag' "$(status PUT /v1/ves/1000 -H "If-Match: $old" -d "$(spec stopped 2)")" 200
is 'update with an old tag' "$(status PUT /v1/ves/1000 -H "If-Match: $old" -d "$(spec stopped 3)")" 412
is 'a change of status alone makes no tag old' "$(status PUT /v1/ves/1000 -H 'If-Match: "2-999"' -d "$(spec stopped 2)")" 200
is 'generation may not fall' "$(status PUT /v1/ves/1000 -H 'If-Match: *' -d "$(spec stopped 1)")" 412
is 'template does not change so' "$(status PUT /v1/ves/1000 -H 'If-Match: *' -d '{"template":"debian","desired":"stopped","generation":3}')" 422
is 'desire starts it' "$(status PUT /v1/ves/1000 -H 'If-Match: *' -d "$(spec running 3)")" 202
await_state 1000 running
is 'observed generation follows' "$(api GET /v1/ves/1000 | json status.observed_generation)" 3
is 'limits apply to what runs' "$(status PUT /v1/ves/1000 -H 'If-Match: *' -d "$(spec running 4 ',"limits":{"processes":99}')")" 202

is 'an action needs a key' "$(status POST /v1/ves/1001/actions -d '{"action":"stop"}')" 400
is 'an unknown action' "$(act 1001 dance | json status)" 400
first=$(act 1001 stop same | json id)
again=$(act 1001 stop same | json id)
is 'the same key is the same operation' "$again" "$first"
is 'the same key for something else' "$(act 1001 start same | json title)" idempotency-mismatch
is 'wait for the end' "$(api GET "/v1/operations/$first?wait=20" | json state)" succeeded
is 'it is stopped' "$(state_of 1001)" stopped
is 'unknown operation' "$(status GET /v1/operations/999999)" 404

# a VE whose init does not heed: killed after stop_ms, and busy meanwhile
act 1001 start >/dev/null; await_state 1001 running
read -r pid _ <"$T/fake/ve-1001"
kill -STOP "$pid"
slow=$(act 1001 stop | json id)
is 'a second operation: busy' "$(act 1001 restart | json title)" ve-busy
is 'delete meanwhile: busy' "$(status DELETE /v1/ves/1001)" 409
is 'killed in the end' "$(api GET "/v1/operations/$slow?wait=20" | json state)" succeeded
is 'its status tells so' "$(api GET /v1/ves/1001 | json status.exit_status)" 137

# ends from inside
act 1001 start >/dev/null; await_state 1001 running
read -r pid _ <"$T/fake/ve-1001"
kill -PWR "$pid"
await_state 1001 stopped
is 'halted inside: stays down' "$(state_of 1001)" stopped
act 1001 start >/dev/null; await_state 1001 running
read -r pid _ <"$T/fake/ve-1001"
kill -TERM "$pid"
new_init() { read -r now _ <"$T/fake/ve-1001" && [ "$now" != "$pid" ]; }
if until_ok 10 new_init && await_state 1001 running; then ok 'rebooted inside: comes up again'; else not_ok 'rebooted inside: comes up again'; fi
reboot() { read -r pid _ <"$T/fake/ve-1001" && kill -TERM "$pid" && until_ok 5 new_init && await_state 1001 running; }
if reboot && reboot && reboot; then not_ok 'who does nothing else has to wait'; else ok 'who does nothing else has to wait'; fi
if await_state 1001 running; then ok 'and comes up in the end'; else not_ok 'and comes up in the end'; fi

# init that fails
op=$(api PUT /v1/ves/1002 -H 'If-None-Match: *' -D "$T/h" -d '{"template":"tiny","hostname":"broken","desired":"running","generation":1}' -o /dev/null
	sed -n 's/^[Ll]ocation: *//p' "$T/h" | tr -d '\r')
is 'an init that cannot run fails the operation' "$(api GET "$op?wait=20" | json state)" failed
is 'a kernel that refuses fails it too' "$(api PUT /v1/ves/1003 -H 'If-None-Match: *' -D "$T/h" -o /dev/null \
	-d '{"template":"tiny","hostname":"refused","desired":"running","generation":1}'
	op=$(sed -n 's/^[Ll]ocation: *//p' "$T/h" | tr -d '\r'); api GET "$op?wait=20" | json error.title)" internal

# private trees
[ -d "$T/private/1001/upper" ] && ok 'a private tree was made' || not_ok 'a private tree was made'
echo x >"$T/private/1001/upper/file"
op=$(act 1001 reinstall | json id)
api GET "/v1/operations/$op?wait=20" >/dev/null
await_state 1001 running
[ ! -e "$T/private/1001/upper/file" ] && ok 'reinstall empties it' || not_ok 'reinstall empties it'
mkdir -p "$T/private/1000/upper/d" "$T/outside" && echo keep >"$T/outside/file"
ln -s "$T/outside" "$T/private/1000/upper/d/link"
(while [ ! -e "$T/quiet" ]; do api GET /v1/ves/1001 >/dev/null; done) & # never is there nothing to do
op=$(api DELETE /v1/ves/1000 | json id)
is 'delete is accepted and done' "$(op_end "$op" | json state)" succeeded
is 'it is gone' "$(status GET /v1/ves/1000)" 404
[ ! -e "$T/private/1000" ] && ok 'with its private tree' || not_ok 'with its private tree'
swept() { [ -z "$(ls -A "$T/private/.trash")" ]; }
if until_ok 30 swept; then ok 'whose files go too'; else not_ok 'whose files go too' "$(ls -lR "$T/private/.trash")"; fi
: >"$T/quiet"
is 'and nothing behind its links' "$(cat "$T/outside/file")" keep

for v in 1 2 3; do create $v stopped >/dev/null; done
is 'pages' "$(api GET '/v1/ves?limit=2' | json next)" 2
is 'who looks at some gets these, in that order' "$(api GET '/v1/ves?ids=3,77,1' | json items.0.veid),$(api GET '/v1/ves?ids=3,77,1' | json items.1.veid)" 3,1
is 'as they are' "$(api GET '/v1/ves?ids=3&view=status' | json items.0.status.state)" stopped
is 'without what is wanted' "$(api GET '/v1/ves?ids=3&view=status' | grep -c spec)" 0
is 'which is there else' "$(api GET '/v1/ves?ids=3' | grep -c spec)" 1
is 'the last page has no next' "$(api GET '/v1/ves?limit=2&after=1003' | json next | head -c 6)" t2tool

# no place for private trees: said so, and nothing is lost
kill "$AGENT"; wait "$AGENT" 2>/dev/null
mv "$T/private" "$T/elsewhere"
start_agent
op=$(act 1002 start | json id)
is 'no place for private trees' "$(api GET "/v1/operations/$op?wait=20" | json error.title)" tree-unwritable
is 'the VE says why' "$(api GET /v1/ves/1002 | json status.state)" failed
has 'in words' "$(api GET /v1/ves/1002 | json status.error)" 'private trees'
mv "$T/elsewhere" "$T/private"
rm -rf "$T/template/tiny"
op=$(act 1 start | json id)
is 'a template that went away' "$(api GET "/v1/operations/$op?wait=20" | json error.title)" template-unknown
done_testing
