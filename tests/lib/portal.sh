# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034
#  The real portal on a private PostgreSQL cluster, on loopback:
#
#     . tests/lib/pg.sh; . tests/lib/portal.sh
#     trap portal_cleanup EXIT
#     portal_setup                  # cluster, schema, certificates
#     portal_start 1                # ve-portald number 1: $URL1 (and $URL)
#     http GET /path [curl options] # -> $STATUS, $BODY, $HEADERS; $JAR keeps cookies
#
#  Everything lives below $PG_DIR; programs are ended by the pids kept there.

BUILD=${BUILD:-build/rel}
BIN=${BIN:-$BUILD/bin}
. tests/lib/ports.sh

# pki_issue NAME SUBJECT_ALT_NAME: a key and a certificate of the test's CA
PKI_NEW='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
pki_issue() {
  (
    cd "$PG_DIR/pki" || exit
    # shellcheck disable=SC2086
    openssl req $PKI_NEW -keyout "$1.key" -out "$1.csr" -subj "/CN=$1"
    printf 'subjectAltName=%s\n' "$2" >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial \
      -days 30 -extfile "$1.ext" -out "$1.crt"
  ) >>"$PG_DIR/pki.log" 2>&1
}

# A CA and what the portal shows and presents.
portal_pki() {
  mkdir -p "$PG_DIR/pki"
  # shellcheck disable=SC2086
  openssl req -x509 $PKI_NEW -keyout "$PG_DIR/pki/ca.key" -out "$PG_DIR/pki/ca.crt" -days 30 \
    -subj '/CN=test CA' -addext basicConstraints=critical,CA:TRUE >"$PG_DIR/pki.log" 2>&1
  pki_issue portal 'DNS:localhost,DNS:*.ve.localhost,IP:127.0.0.1'
  pki_issue terminal URI:urn:vestibule:role:terminal
  pki_issue control URI:urn:vestibule:role:control
  pki_issue node-n1 URI:urn:vestibule:node:n1
}

portal_setup() {
  pg_start || return 1
  pg_sql 'alter role ve_portal login; alter role ve_jobd login; alter role ve_gateway login' >/dev/null
  portal_pki
  JAR=$PG_DIR/jar
  chmod a+x "$PG_DIR"
  chmod a+rX "$PG_DIR/pki"
  NODE_PORT=$PORT_BASE
}

# A node that is there as far as the database knows.
portal_node() {
  pg_sql "select ve.node_install('n1', 'https://127.0.0.1:$NODE_PORT', repeat('ab', 32), ${1:-100})" >/dev/null
  pg_sql "select ve.node_fact('n1', '{}')" >/dev/null
}

portal_start() {
  port=$((PORT_BASE + $1))
  cat >"$PG_DIR/portald$1.conf" <<CONF
listen 127.0.0.1:$port
public_url https://localhost:$port
tls_cert $PG_DIR/pki/portal.crt
tls_key $PG_DIR/pki/portal.key
db $PG_CONNINFO user=ve_portal
www www
node_ca $PG_DIR/pki/ca.crt
terminal_cert $PG_DIR/pki/terminal.crt
terminal_key $PG_DIR/pki/terminal.key
ssh_host localhost
ssh_port 2222
domain ve.localhost
user nobody
CONF
  "$BIN/ve-portald" -c "$PG_DIR/portald$1.conf" >>"$PG_DIR/portald$1.log" 2>&1 &
  echo $! >"$PG_DIR/portald$1.pid"
  eval "URL$1=https://localhost:$port"
  [ -n "${URL:-}" ] || URL=https://localhost:$port
  portal_wait "https://localhost:$port" || { cat "$PG_DIR/portald$1.log" >&2; return 1; }
}

# Until it is ready, half a minute at most.
portal_wait() {
  wait_end=$(($(date +%s) + 30))
  until curl -sf --max-time 5 -o /dev/null --cacert "$PG_DIR/pki/ca.crt" "$1/readyz"; do
    [ "$(date +%s)" -lt "$wait_end" ] || return 1
    sleep 0.05
  done
}

portal_stop() {
  [ -f "$PG_DIR/portald$1.pid" ] || return 0
  kill "$(cat "$PG_DIR/portald$1.pid")" 2>/dev/null
  wait "$(cat "$PG_DIR/portald$1.pid")" 2>/dev/null
  rm -f "$PG_DIR/portald$1.pid"
}

portal_cleanup() {
  [ -n "${PG_DIR:-}" ] || return 0
  for file in "$PG_DIR"/*.pid; do
    [ -f "$file" ] && kill "$(cat "$file")" 2>/dev/null && wait "$(cat "$file")" 2>/dev/null
  done
  ! command -v node_cleanup >/dev/null || node_cleanup
  [ -z "${KEEP_LOGS:-}" ] || cat "$PG_DIR"/*.log >&2
  pg_stop
}

# http METHOD PATH [curl options]: one request with the cookies of $JAR.
http() {
  method=$1 path=$2
  shift 2
  STATUS=$(curl -s -X "$method" --cacert "$PG_DIR/pki/ca.crt" -b "$JAR" -c "$JAR" \
    --max-time 30 -D "$PG_DIR/headers" -o "$PG_DIR/body" -w '%{http_code}' "$@" "$URL$path") ||
    STATUS=000
  BODY=$(tr -d '\000' <"$PG_DIR/body" 2>/dev/null)
  HEADERS=$(tr -d '\r' <"$PG_DIR/headers" 2>/dev/null)
}

# The CSRF token of a page that was just fetched into $BODY.
csrf() {
  CSRF=$(printf '%s' "$BODY" | sed -n 's/.*name="csrf" value="\([^"]*\)".*/\1/p' | head -1)
}

# api METHOD PATH JSON: with token and type.
api() {
  [ -n "${API_CSRF:-}" ] || api_token
  http "$1" "/api/v1$2" -H 'Content-Type: application/json' -H "X-CSRF-Token: $API_CSRF" \
    -d "${3:-}"
}
api_token() {
  http GET /api/v1/session
  API_CSRF=$(printf '%s' "$BODY" | sed -n 's/.*"csrf":"\([^"]*\)".*/\1/p')
}

# A new person in $JAR, by the forms.
signup() {
  http GET /signup
  csrf
  http POST /signup --data-urlencode "csrf=$CSRF" --data-urlencode "email=$1" \
    --data-urlencode 'password=correct horse' --data-urlencode "template=${2:-tiny}"
  API_CSRF=
}
login() {
  http GET /login
  csrf
  http POST /login --data-urlencode "csrf=$CSRF" --data-urlencode "email=$1" \
    --data-urlencode "password=${2:-correct horse}"
  API_CSRF=
}
