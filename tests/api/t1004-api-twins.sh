#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a page does, /api/v1 does: a life in JSON.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/pg.sh
. tests/lib/portal.sh
trap portal_cleanup EXIT
portal_setup && portal_node 100 && portal_start 1 || exit 1
finish() { pg_sql "update ve.job set state = 'done', finished_at = now() where state = 'queued'"; }

http GET /api/v1/capacity
is 'the capacity is public' "$STATUS" 200
like 'and a number' "$BODY" '"free": ?100'
http GET /api/v1/templates
like 'so are the templates' "$BODY" '"name": ?"debian"'
http GET /api/v1/home
is 'a home is not' "$STATUS" 401
api POST /accounts '{"email":"ann@example.net","password":"correct horse","template":"tiny"}'
is 'sign-up' "$STATUS" 201
like 'gives a number' "$BODY" '"veid":1000'
API_CSRF=
api GET /home
like 'home has the VE' "$BODY" '"veid":1000'
api POST /ves/1000/actions '{"action":"stop"}'
is 'a VE that is being made is busy' "$STATUS" 409
like 'by name' "$BODY" 've-busy'
finish
api POST /ves/1000/actions '{"action":"stop"}'
is 'then it is stopped' "$STATUS" 202
job=$(printf '%s' "$BODY" | sed -n 's/.*"job":\([0-9]*\).*/\1/p')
api GET "/jobs/$job"
like 'by a job that can be looked at' "$BODY" '"kind":"stop"'
finish
api POST /ves/1000/tickets
is 'a stopped VE has no tickets' "$STATUS" 409
for action in start restart reinstall extend; do
  api POST /ves/1000/actions "{\"action\":\"$action\"}"
  is "$action" "$STATUS" 202
  finish
done
api POST /ves/1000/actions '{"action":"explode"}'
is 'an unknown action is refused' "$STATUS" 422
api POST /ves/1001/actions '{"action":"stop"}'
is 'a VE that is not there is not found' "$STATUS" 404
api POST /ves/0/actions '{"action":"stop"}'
is 'nor is number 0' "$STATUS" 404
api POST /ves/99999999999/actions '{"action":"stop"}'
is 'nor one that is too long' "$STATUS" 404
api POST /ves/1000/tickets
is 'a running VE gives a ticket' "$STATUS" 201
like 'for half a minute' "$BODY" '"seconds":30'
api POST /ves '{"template":"debian"}'
is 'there is one VE a person' "$STATUS" 409

rm -f "$JAR"
API_CSRF=
api POST /accounts '{"email":"bob@example.net","password":"correct horse","template":"tiny"}'
API_CSRF=
api GET /ves/1000
is 'a neighbour does not see it' "$STATUS" 404
api POST /ves/1000/actions '{"action":"delete"}'
is 'nor delete it' "$STATUS" 404
api POST /ves/1000/tickets
is 'nor open it' "$STATUS" 404
api GET "/jobs/$job"
is 'nor see its jobs' "$STATUS" 404
api GET /admin/nodes
is 'nor what operators see' "$STATUS" 403
api DELETE /session
is 'log-out' "$STATUS" 200
API_CSRF=
api GET /home
is 'is the end' "$STATUS" 401
api POST /session '{"email":"ann@example.net","password":"correct horse"}'
is 'log-in' "$STATUS" 201
API_CSRF=
api POST /ves/1000/actions '{"action":"delete"}'
is 'delete' "$STATUS" 202
api POST /ves/1000/actions '{"action":"start"}'
is 'is final' "$STATUS" 409
tap_end
