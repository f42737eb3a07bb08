#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The node loses its power while addresses are lent and VEs made, sleep and wake: QEMU is killed.  Booted again on the same
# disks the agent brings its VEs back by itself, has all that it had acknowledged, and uses no epoch twice.
#
#   t3009-power-cut.sh [CUTS]      one after the other, each later than the one before
if [ -z "${INSIDE:-}" ]; then
	cd "$(dirname "$0")/../.." || exit 1
	. tests/lib/tap.sh
	dir=$(mktemp -d "${TMPDIR:-/tmp}/ve-power.XXXXXX")
	trap 'rm -rf "$dir"' EXIT
	for i in private state; do
		truncate -s 64M "$dir/$i.img"
		mke2fs -q -t ext4 -O quota,project -E quotatype=prjquota "$dir/$i.img"
	done
	boot() { # SETTINGS [OPTION]...
		settings=$1
		shift
		SETTINGS=$settings WITH=tests/lib/invariants tests/guest/agent-run tests/guest/t3009-power-cut.sh --smp 1 --timeout 300 \
			--disk "$dir/private.img" --disk "$dir/state.img" "$@"
	}
	acked() { [ "$(grep -c '^acked ' "$dir/before")" -ge "$1" ] || ! kill -0 "$guest" 2>/dev/null; }
	made=0 cut=0
	while [ "$cut" -lt "${1:-1}" ]; do
		cut=$((cut + 1))
		rm -f "$dir/pid" "$dir/before"
		boot "MADE=$made" --pidfile "$dir/pid" >>"$dir/before" 2>&1 & # QEMU appends
		guest=$!
		until acked $((cut * 4)); do sleep 0.1; done # run ends it after its time
		kill -9 "$(cat "$dir/pid")"
		wait "$guest"
		is "cut $cut: the power went while it worked" $? 125
		most=$(sed -n 's/^epoch //p' "$dir/before" | sort -n | tail -n 1)
		made=$(sed -n 's/^acked //p' "$dir/before" | sort -n | tail -n 1)
		ok "cut $cut: it had made something (${made:-nothing}) and lent (epoch ${most:-none})" test -n "$made$most"
		[ -n "$made$most" ] || sed 's/^/# /' "$dir/before" | tail -n 30
		boot "MADE=${made:-0} EPOCH=${most:-0}" >"$dir/after" 2>&1
		rc=$?
		sed -n 's/^ok [0-9]* - /ok /p; s/^not ok [0-9]* - /not ok /p' "$dir/after" >"$dir/said"
		while read -r line; do
			case $line in 'not ok'*) ok "cut $cut: ${line#not ok }" false ;; *) ok "cut $cut: ${line#ok }" true ;; esac
		done <"$dir/said"
		is "cut $cut: and the guest ended well" $rc 0
		[ $rc = 0 ] || sed 's/^/# /' "$dir/before" "$dir/after" | tail -n 60
	done
	tap_end
	exit
fi
. ./t2-lib.sh
KEEP=1 # what lies below $T is a disk
make_pki
mkdir -p "$T/state"
mount -t ext4 -o prjquota /dev/vda "$PRIVATE" && mount -t ext4 /dev/vdb "$T/state" || { dmesg | tail -n 3; exit 1; }
configure 'quarantine_ms 200' 'stop_ms 3000' 'held 1'
start_agent
run() { _v=$1; shift; "$BIN/vectl" --socket "$T/run/ctl.sock" exec "$_v" "$@"; }
lend() {
	_n=$(api PUT /v1/blocks/b1 -d '{"range":"10.77.0.0/29","term_ms":3600000,"nonce":""}' | json nonce)
	api PUT /v1/blocks/b1 -d "{\"range\":\"10.77.0.0/29\",\"term_ms\":3600000,\"nonce\":\"$_n\"}" >/dev/null
}
epoch_of() { awk -v v="$1" '$2 == v && $1 ~ /^10\./ { print $3 }' /proc/net/venet; }
both() { has_ip 1000 && has_ip 1001; }

if [ -z "${EPOCH:-}" ]; then # until the power goes
	if [ "$MADE" = 0 ]; then
		MADE=1100
		create 1000 >/dev/null; create 1001 >/dev/null
	fi
	await_state 1000 running; await_state 1001 running
	run 1000 'echo kept >/root/kept; sync'
	lend
	until_ok 20 both
	while :; do
		MADE=$((MADE + 1))
		[ "$(status PUT "/v1/ves/$MADE" -H 'If-None-Match: *' -d "$(spec stopped 1)")" = 201 ] || exit 1
		act 1000 idle >/dev/null; await_state 1000 frozen
		say "acked $MADE"
		act 1000 wake >/dev/null; await_state 1000 running; until_ok 20 has_ip 1000
		# told to a client, so it is on the disk
		say "epoch $(epoch_of 1000)"
	done
fi

hold() {
	cat /proc/net/venet >"$T/addrs" && cat /proc/ve >"$T/ves" &&
		python3 ./invariants --node n1 --ves "$T/ves" --addrs "$T/addrs" --db "$T/state/api/agent.db" --alive 1000,1001
}
if await_state 1000 running && await_state 1001 running; then
	ok 'its VEs are back by themselves'
else
	not_ok 'its VEs are back by themselves' "$(api GET /v1/ves/1000)"
fi
is 'with what was on their disk' "$(run 1000 cat /root/kept)" kept
missing=''
for v in $(seq 1101 "$MADE"); do [ "$(status GET "/v1/ves/$v")" = 200 ] || missing="$missing $v"; done
is 'what it had acknowledged is there' "$missing" ''
is 'and what it never heard of is not' "$(status GET "/v1/ves/$((MADE + 2))")" 404
lend
until_ok 30 both
new=$(epoch_of 1000)
if [ -n "$new" ] && [ "$new" -gt "$EPOCH" ]; then ok 'no epoch is used twice'; else not_ok 'no epoch is used twice' "before $EPOCH, now $new"; fi
if until_ok 20 hold; then ok 'the invariants hold'; else not_ok 'the invariants hold' "$(hold)"; fi
done_testing
