#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who may speak to the agent: certificates and their roles.
. "$(dirname "$0")/t2-lib.sh"
make_pki
authority other
cert foreign URI:urn:vestibule:role:control 2 other
cert roleless URI:urn:example:x
# made yesterday for less than a day
openssl req -new -key "$T/control.key" -subj /CN=expired -out "$T/expired.csr" 2>/dev/null
printf 'subjectAltName=URI:urn:vestibule:role:control\n' >"$T/expired.ext"
cp "$T/control.key" "$T/expired.key"
faketime=$(date -u -d '2 days ago' +%y%m%d%H%M%SZ)
end=$(date -u -d '1 day ago' +%y%m%d%H%M%SZ)
mkdir "$T/demo" && : >"$T/demo/index" && echo 01 >"$T/demo/serial"
cat >"$T/demo/cnf" <<END
[ca]
default_ca=d
[d]
database=$T/demo/index
serial=$T/demo/serial
new_certs_dir=$T/demo
default_md=sha256
policy=p
[p]
commonName=supplied
END
openssl ca -batch -config "$T/demo/cnf" -cert "$T/ca.crt" -keyfile "$T/ca.key" -startdate "$faketime" -enddate "$end" \
	-extfile "$T/expired.ext" -in "$T/expired.csr" -out "$T/expired.crt" 2>/dev/null
configure
start_agent

is 'control is served' "$(status GET /v1/node)" 200
refused() { ! ROLE=$1 api GET /v1/node >/dev/null 2>&1; }
if refused foreign; then ok 'a foreign authority is refused'; else not_ok 'a foreign authority is refused'; fi
if [ -s "$T/expired.crt" ] && refused expired; then ok 'an expired certificate is refused'; else not_ok 'an expired certificate is refused'; fi
if curl -s --max-time 10 -k --connect-to "n1:443:127.0.0.1:$PORT" https://n1/healthz >/dev/null 2>&1; then
	not_ok 'no certificate is refused'
else
	ok 'no certificate is refused'
fi
if curl -s --max-time 10 -k --tls-max 1.2 --cert "$T/control.crt" --key "$T/control.key" \
	--connect-to "n1:443:127.0.0.1:$PORT" https://n1/healthz >/dev/null 2>&1; then
	not_ok 'TLS 1.2 is refused'
else
	ok 'TLS 1.2 is refused'
fi

create 1000 stopped >/dev/null
as() { ROLE=$1; export ROLE; shift; "$@"; _r=$?; ROLE=control; return $_r; }
is 'terminal may not start' "$(as terminal status POST /v1/ves/1000/actions -H 'Idempotency-Key: a' -d '{"action":"start"}')" 403
has 'the problem names the role' "$(as terminal api GET /v1/node)" urn:vestibule:problem:role-refused
is 'terminal may not list' "$(as terminal status GET /v1/ves)" 403
is 'terminal may not read metrics' "$(as terminal status GET /metrics)" 403
is 'terminal may ask for health' "$(as terminal status GET /healthz)" 200
is 'metrics may read metrics' "$(as metrics status GET /metrics)" 200
is 'metrics may not read the node' "$(as metrics status GET /v1/node)" 403
is 'control may not open a stream' "$(status GET '/v1/ves/1000/terminals/main/ws')" 403
is 'no role: health only' "$(as roleless status GET /healthz),$(as roleless status GET /v1/node)" 200,403
is 'the VE was not started' "$(state_of 1000)" stopped
done_testing
