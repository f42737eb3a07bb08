# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# For the tests of the agent: certificates, an agent with a fake kernel, calls, TAP.
# Everything lives in $T and on the loopback; processes are ended by their own pid.
# In a guest (tests/guest/agent-run) it is the real agent; then busybox is all there is, and
# $AGENT_KIT holds the certificates.
set -u
BIN=${BIN:-${BUILD:-build/rel}/bin}
T=$(mktemp -d "${TMPDIR:-/tmp}/ve-t2-XXXXXX")
PORT=${PORT:-}
AGENT=
N=0
FAILED=0

say() { printf '%s\n' "$*"; }
ok() { N=$((N + 1)); say "ok $N - $1"; }
not_ok() { N=$((N + 1)); FAILED=$((FAILED + 1)); say "not ok $N - $1"; shift; for l in "$@"; do say "# $l"; done; }
# is NAME GOT WANT
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got:  $2" "want: $3"; fi; }
# has NAME TEXT PART
has() { case $2 in *"$3"*) ok "$1" ;; *) not_ok "$1" "got: $2" "without: $3" ;; esac; }
done_testing() { say "1..$N"; [ "$FAILED" = 0 ]; }

# until_ok SECONDS CMD...: wait for a condition
until_ok() {
	_end=$(($(date +%s) + $1)); shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$_end" ] || return 1
		sleep 0.05
	done
}

cleanup() {
	[ -z "$AGENT" ] || { kill "$AGENT" 2>/dev/null; wait "$AGENT" 2>/dev/null; }
	for f in "$T"/fake/ve-*; do
		[ -f "$f" ] && read -r _pid _ <"$f" && kill -9 "$_pid" 2>/dev/null
	done
	[ "$FAILED" = 0 ] || { [ -f "$T/log" ] && sed 's/^/# log: /' "$T/log" | tail -40; }
	[ "$FAILED" = 0 ] || { [ -f "$T/ws.log" ] && sed 's/^/# ws: /' "$T/ws.log" | tail -40; }
	[ -n "${KEEP:-}" ] || rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# cert NAME SAN [DAYS [CA]]
cert() {
	_ca=${4:-ca}
	openssl ecparam -name prime256v1 -genkey -noout -out "$T/$1.key" 2>/dev/null
	openssl req -new -key "$T/$1.key" -subj "/CN=$1" -out "$T/$1.csr" 2>/dev/null
	printf 'subjectAltName=%s\n' "$2" >"$T/$1.ext"
	openssl x509 -req -in "$T/$1.csr" -CA "$T/$_ca.crt" -CAkey "$T/$_ca.key" -CAcreateserial \
		-days "${3:-2}" -extfile "$T/$1.ext" -out "$T/$1.crt" 2>/dev/null
}

authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1" \
		-keyout "$T/$1.key" -out "$T/$1.crt" 2>/dev/null
}

make_pki() {
	[ -z "${AGENT_KIT:-}" ] || { cp "$AGENT_KIT"/*.crt "$AGENT_KIT"/*.key "$T/"; return; }
	authority ca
	cert node URI:urn:vestibule:node:n1
	cert control URI:urn:vestibule:role:control
	cert terminal URI:urn:vestibule:role:terminal
	cert metrics URI:urn:vestibule:role:metrics
}

# The agent comes back to its port: no connection of another test may have taken it meanwhile.
choose_port() {
	if [ -n "${AGENT_KIT:-}" ]; then
		PORT=7443
	else
		# shellcheck source=/dev/null
		. "$(dirname "$0")/../lib/ports.sh"
		PORT=$PORT_BASE
	fi
}

# configure [LINE...]: write the configuration; later lines are added
configure() {
	[ -n "$PORT" ] || choose_port
	mkdir -p "$T/template/tiny" "$T/template/debian" "$T/private" "$T/fake"
	echo sha256:aa >"$T/template/tiny.digest"
	[ -f "$T/grant" ] || head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$T/grant"
	cat >"$T/conf" <<-END
	node n1
	listen 127.0.0.1:$PORT
	ca $T/ca.crt
	cert $T/node.crt
	key $T/node.key
	grant_key $T/grant
	state_dir $T/state
	run_dir $T/run
	template_dir ${TEMPLATES:-$T/template}
	private_dir ${PRIVATE:-$T/private}
	user_api nobody
	user_term nobody
	END
	for _l in "$@"; do echo "$_l" >>"$T/conf"; done
	chmod 755 "$T"
}

start_agent() {
	VE_FAKE_DIR=$T/fake "$BIN/${AGENT_BIN:-ve-agentd-fake}" -c "$T/conf" 2>>"$T/log" &
	AGENT=$!
	until_ok 20 is_ready || {
		tail -n 20 "$T/log" | sed 's/^/# /'
		say "Bail out! the agent does not get ready"
		exit 1
	}
}

is_ready() { [ "$(status GET /readyz)" = 200 ]; }

# pid of a part; what the fake kernel runs was forked off priv and is nobody's child
part_pid() {
	for _f in $(grep -l "^PPid:[[:space:]]*$AGENT\$" /proc/[0-9]*/status 2>/dev/null); do
		tr '\0' ' ' <"${_f%status}cmdline" | grep -q -- "-P $1 " && { _f=${_f#/proc/}; echo "${_f%/status}"; }
	done
}

# api METHOD PATH [curl arguments]: body to standard output
api() {
	_m=$1 _p=$2; shift 2
	curl -sS --max-time 60 --cacert "$T/ca.crt" --cert "$T/${ROLE:-control}.crt" --key "$T/${ROLE:-control}.key" \
		--tlsv1.3 --connect-to "n1:443:127.0.0.1:$PORT" -k -X "$_m" "$@" "https://n1$_p"
}

status() { api "$@" -o /dev/null -w '%{http_code}'; }

# json PATH: of standard input ("status.state", "items.#")
json() { "$BIN/t2tool" json "$1" 2>&1; }

# ws PATH GRANT [-c COMMAND] STEP...: see tests/agent/t2tool.c
ws() { "$BIN/t2tool" ws "$T" "$PORT" "$@" 2>>"$T/ws.log"; }
# grant VEID KIND [...]
grant() { _v=$1 _k=$2; shift 2; "$BIN/t2tool" grant "$T/grant" "$_v" n1 "$_k" "$@"; }

spec() { # spec DESIRED GENERATION [more members]
	printf '{"template":"tiny","hostname":"h","desired":"%s","generation":%s%s}' "$1" "$2" "${3:-}"
}

create() { api PUT "/v1/ves/$1" -H 'If-None-Match: *' -d "$(spec "${2:-running}" 1 "${3:-}")"; }
act() { # act VEID ACTION [KEY]
	api POST "/v1/ves/$1/actions" -H "Idempotency-Key: ${3:-$(cat /proc/sys/kernel/random/uuid)}" -d "{\"action\":\"$2\"}"
}
state_of() { api GET "/v1/ves/$1" | json status.state; }
is_state() { [ "$(state_of "$1")" = "$2" ]; }
# await_state VEID STATE: told of each change, no polling
await_state() {
	_end=$(($(date +%s) + 60)) _tag=none
	while [ "$(date +%s)" -lt "$_end" ]; do
		api GET "/v1/ves/$1?wait=20" -H "If-None-Match: $_tag" -D "$T/await.h" -o "$T/await.b" || return 1
		_tag=$(sed -n 's/^[Ee][Tt]ag: *//p' "$T/await.h" | tr -d '\r')
		[ "$(json status.state <"$T/await.b")" != "$2" ] || return 0
		[ -n "$_tag" ] || return 1
	done
	return 1
}
# op_end ID: the operation when it has ended
op_end() { api GET "/v1/operations/$1?wait=60"; }

# member VEID PATH: of what the agent says of a VE
member() { api GET "/v1/ves/$1" | json "$2"; }
ip_of() { member "$1" status.ipv4; }
# The control group of a VE that runs in the real kernel
group_of() { awk -v v="$1" '$1 == v && $2 != "stopped" { print "/sys/fs/cgroup/ve/" $3 }' /proc/ve; }
has_ip() { [ "$(ip_of "$1")" != null ]; }
block() { # ID RANGE TERM: a block is lent, and renewed
	_n=$(api PUT "/v1/blocks/$1" -d "{\"range\":\"$2\",\"term_ms\":$3,\"nonce\":\"\"}" | json nonce)
	api PUT "/v1/blocks/$1" -d "{\"range\":\"$2\",\"term_ms\":$3,\"nonce\":\"$_n\"}" >/dev/null
}

# Named places where an agent built for it dies (tests/agent/fail.c), and VEs 1000 and 1001
arm() { : >"$T/state/api/fail-$1"; : >"$T/fake/fail-$1"; }
# the file is taken away by who dies; the other one was for the other part
fired() { [ ! -e "$T/state/api/fail-$1" ] || [ ! -e "$T/fake/fail-$1" ]; }
disarm() { rm -f "$T/state/api/fail-$1" "$T/fake/fail-$1"; }
try() { act "$1" "$2" >/dev/null 2>&1; } # its answer may die with api
settled() { is_ready && [ "$(state_of 1000)" = running ] && has_ip 1000 && has_ip 1001; }
# again what was asked for and may have died unheard: a client that had no answer does
insist() { settled || { case $(state_of 1000) in frozen) try 1000 wake ;; stopped) try 1000 start ;; esac; settled; }; }
