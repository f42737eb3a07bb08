#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The operator's pages: nodes, environments, subscribers, addresses, audit.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/pg.sh
. tests/lib/portal.sh
trap portal_cleanup EXIT
portal_setup && portal_node 100 && portal_start 1 || exit 1

password=$("$BIN/ve-portald" -o op@example.net -d "$PG_URL")
like 'an operator gets a password, once' "$password" '^[a-z2-9]{5}(-[a-z2-9]{5}){3}$'
is 'a second call makes none' "$("$BIN/ve-portald" -o op@example.net -d "$PG_URL" 2>/dev/null)" ''
signup ann@example.net
ann=$JAR
http GET /admin
is 'a subscriber is no operator' "$STATUS" 403
for page in ves subscribers pools audit; do
  http GET "/admin/$page"
  is "not on $page either" "$STATUS" 403
done
http GET /ves/1000
csrf
http POST /admin/pools -d "csrf=$CSRF&range=192.0.2.0/24"
is 'and adds no pool' "$STATUS" 403

JAR=$PG_DIR/jar-op
http GET /admin
like 'a stranger is sent to the log-in' "$HEADERS" 'Location: /login'
login op@example.net "$password"
http GET /admin
is 'the operator sees the nodes' "$STATUS" 200
like 'as they are' "$BODY" 'n1.*'
csrf
http POST /admin/nodes -d "csrf=$CSRF" --data-urlencode 'node=n2' --data-urlencode 'url=https://10.0.0.2:7443' -d capacity=10
is 'lets one come' "$STATUS" 201
like 'and sees its token, once' "$BODY" 've-enrol https://localhost:[0-9]+ [A-Za-z0-9_-]{43}'
http GET /admin
unlike 'not again' "$BODY" 've-enrol'
http POST /admin/nodes -d "csrf=$CSRF" --data-urlencode 'node=n1' --data-urlencode 'url=https://10.0.0.3:7443' -d capacity=10
is 'a name is taken once' "$STATUS" 409
http POST /admin/nodes -d "csrf=$CSRF" --data-urlencode 'node=n3' --data-urlencode 'url=http://10.0.0.3' -d capacity=10
is 'an address without TLS is refused' "$STATUS" 422
http POST /admin/pools -d "csrf=$CSRF" --data-urlencode 'range=192.0.2.0/24'
is 'adds a pool' "$STATUS" 303
http GET /admin/pools
like 'and sees it' "$BODY" '192.0.2.0/24'
http POST /admin/pools -d "csrf=$CSRF" --data-urlencode 'range=192.0.2.128/25'
is 'pools do not overlap' "$STATUS" 409
http POST /admin/pools -d "csrf=$CSRF" --data-urlencode 'range=192.0.2.1/24'
is 'nor begin in the middle' "$STATUS" 422
http POST /admin/pools -d "csrf=$CSRF" --data-urlencode 'range=fd00::/64'
is 'IPv6 pools are taken' "$STATUS" 303
http GET /admin/ves
like 'sees the environments' "$BODY" '#1000'
like 'and whose they are' "$BODY" 'ann@example.net'
is_in() { pg_sql "update ve.ve set state = '$1', desired = '$1' where veid = 1000; update ve.job set state = 'done', finished_at = now() where state in ('queued', 'running')" >/dev/null; }
is_in running
http GET /admin/ves
like 'one that runs can be stopped' "$BODY" 'Stop #1000'
unlike 'and not started' "$BODY" 'Start #1000'
is_in stopped
http GET /admin/ves
like 'one that is stopped can be started' "$BODY" 'Start #1000'
unlike 'and not stopped' "$BODY" 'Stop #1000'
is_in running
http GET /admin/subscribers
like 'sees the subscribers' "$BODY" 'ann@example.net'
id=$(pg_sql "select id from ve.subscriber where email = 'ann@example.net'")
http POST "/admin/subscribers/$id/actions" -d "csrf=$CSRF&action=suspend"
is 'a suspension needs a reason' "$STATUS" 422
http POST "/admin/subscribers/$id/actions" -d "csrf=$CSRF&action=suspend&why=mining"
is 'suspends a subscriber' "$STATUS" 303
JAR=$ann
http GET /api/v1/home
is 'whose session is over at once' "$STATUS" 401
login ann@example.net
is 'who cannot log in' "$STATUS" 403
like 'and reads why' "$BODY" 'mining'
login ann@example.net 'wrong horse'
is 'but only with the right password' "$STATUS" 401
JAR=$PG_DIR/jar-op
http GET /admin/subscribers
csrf
http POST "/admin/subscribers/$id/actions" -d "csrf=$CSRF&action=unsuspend"
is 'lifts it' "$STATUS" 303
JAR=$ann
login ann@example.net
is 'and she is back' "$STATUS" 303
JAR=$PG_DIR/jar-op
http GET /admin/audit
like 'the audit log has it all' "$BODY" 'subscriber.unsuspend'
is 'in a chain that is whole' "$(pg_sql 'select ve.audit_verify() is null')" t
API_CSRF=
api GET /admin/subscribers
is 'the same in JSON' "$STATUS" 200
like 'complete' "$BODY" '"email":"ann@example.net"'
tap_end
