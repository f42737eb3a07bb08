#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The project's own certificate authority.
#
#   pki.sh DIR init                       ca.crt ca.key (once; kept when it is there)
#   pki.sh DIR role control|terminal|metrics   ROLE.crt ROLE.key   SAN urn:vestibule:role:ROLE
#   pki.sh DIR node ID                    node-ID.crt node-ID.key   SAN urn:vestibule:node:ID
#   pki.sh DIR portal NAME...             portal.crt portal.key     SAN the names (DNS or IP)
#   pki.sh DIR all NODE...                everything for a machine that carries the whole product
#
# P-256 keys, 397 days; a certificate with less than 210 days to live is made anew, so that who looks twice a year is
# in time.  That of a node is made anew whenever it is asked for.  Roles are checked by
# URI, never by host name.  Private keys are 0600.
set -eu
umask 077
dir=$1 what=$2
shift 2
mkdir -p "$dir"

fresh() { # certificate: is it there and good for a while?
	[ -f "$dir/$1.crt" ] && openssl x509 -in "$dir/$1.crt" -noout -checkend $((210 * 86400)) >/dev/null
}

key() {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$dir/$1.key.tmp" 2>/dev/null
	mv "$dir/$1.key.tmp" "$dir/$1.key"
}

init() {
	fresh ca && return 0
	key ca
	openssl req -new -x509 -key "$dir/ca.key" -subj "/O=Vestibule/CN=Vestibule CA" -days 3650 \
		-addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign \
		-out "$dir/ca.crt"
}

issue() { # name, common name, subjectAltName, extended key usage
	fresh "$1" && return 0
	[ -f "$dir/ca.key" ] || { echo "pki.sh: no CA in $dir; run: pki.sh $dir init" >&2; exit 1; }
	key "$1"
	openssl req -new -key "$dir/$1.key" -subj "/O=Vestibule/CN=$2" -out "$dir/$1.csr"
	printf '%s\n' "subjectAltName=$3" "extendedKeyUsage=$4" basicConstraints=critical,CA:FALSE \
		keyUsage=critical,digitalSignature >"$dir/$1.ext"
	openssl x509 -req -in "$dir/$1.csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -days 397 \
		-set_serial "0x$(openssl rand -hex 16)" -extfile "$dir/$1.ext" -out "$dir/$1.crt" 2>/dev/null
	rm "$dir/$1.csr" "$dir/$1.ext"
}

role() {
	issue "$1" "$1" "URI:urn:vestibule:role:$1" clientAuth
}

node() {
	issue "node-$1" "$1" "URI:urn:vestibule:node:$1" serverAuth
}

portal() {
	san='' first=$1
	for name; do
		case $name in
		*:* | *[0-9].*[0-9].*[0-9].*[0-9]) san="$san${san:+,}IP:$name" ;;
		*) san="$san${san:+,}DNS:$name" ;;
		esac
	done
	# one that lacks a name is made anew
	has=$(openssl x509 -in "$dir/portal.crt" -noout -ext subjectAltName 2>/dev/null || :)
	for name; do
		case $name,$has in *:*,* | *"$name"*,*"$name"*) ;; *) rm -f "$dir/portal.crt" ;; esac
	done
	issue portal "$first" "$san" serverAuth
}

case $what in
init) init ;;
role) init; role "$1" ;;
node)
	init
	rm -f "$dir/node-$1.crt"
	node "$1"
	openssl x509 -in "$dir/node-$1.crt" -noout -enddate | sed "s|notAfter=|$dir/node-$1.crt: until |"
	;;
portal) init; portal "$@" ;;
all)
	init
	for r in control terminal metrics; do role "$r"; done
	for n; do node "$n"; done
	portal localhost '*.localhost' '*.ve.localhost' 127.0.0.1 ::1
	;;
*) echo "usage: pki.sh DIR init|role|node|portal|all ..." >&2; exit 2 ;;
esac
