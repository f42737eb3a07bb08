#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a node runs out of: room for private trees, a VE's quota, room for its own state, templates,
# a writable tree, addresses.  Each is said clearly, and nothing is lost.
if [ -z "${INSIDE:-}" ]; then
	dir=$(mktemp -d "${TMPDIR:-/tmp}/ve-full.XXXXXX")
	trap 'rm -rf "$dir"' EXIT
	for i in private state; do
		truncate -s 16M "$dir/$i.img"
		mke2fs -q -t ext4 -O quota,project -E quotatype=prjquota -m 0 "$dir/$i.img" 16M
	done
	"$(dirname "$0")/agent-run" "$0" --timeout 300 --put "$dir/private.img" --put "$dir/state.img"
	exit $?
fi
. ./t2-lib.sh
make_pki
mkdir -p "$T/state"
losetup /dev/loop0 /put/private.img && losetup /dev/loop1 /put/state.img &&
	mount -t ext4 -o prjquota /dev/loop0 "$PRIVATE" && mount -t ext4 /dev/loop1 "$T/state" || { dmesg | tail -n 3; exit 1; }
cp -a "$TEMPLATES/tiny" "$TEMPLATES/other"
configure 'quarantine_ms 1000'
start_agent
run() { _v=$1; shift; "$BIN/vectl" --socket "$T/run/ctl.sock" exec "$_v" "$@"; }
done_() { api GET "/v1/operations/$1?wait=60"; }
make_ve() { # VEID TEMPLATE [MEMBERS]: its operation, at its end
	api PUT "/v1/ves/$1" -H 'If-None-Match: *' -D "$T/h" -o /dev/null \
		-d "{\"template\":\"$2\",\"desired\":\"running\",\"generation\":1${3:-}}"
	done_ "$(sed -n 's|^[Ll]ocation: */v1/operations/||p' "$T/h" | tr -d '\r')"
}
fill() { dd if=/dev/zero of="$1/fill" bs=64k 2>/dev/null; dd if=/dev/zero of="$1/fill2" bs=1k 2>/dev/null; sync; }
free_() { rm -f "$1/fill" "$1/fill2"; sync; }

is 'a VE with a quota' "$(make_ve 1000 tiny ',"limits":{"disk_bytes":1048576}' | json state)" succeeded
is 'and one without' "$(make_ve 1001 tiny ',"limits":{"disk_bytes":0}' | json state)" succeeded
df_of() { run "$1" 'df -k / | tail -n 1' | awk -v n="$2" '{ print $n }'; } # 2: all, 3: used, 4: left
is 'it is told of its own limit' "$(df_of 1000 2)" 1024
is 'the other of the whole disk' "$([ "$(df_of 1001 2)" -gt 8192 ] && echo yes)" yes
used=$(df_of 1000 3)
run 1000 'dd if=/dev/zero of=/root/half bs=64k count=8 2>/dev/null; sync'
is 'what it writes is used' "$(awk -v n=$(($(df_of 1000 3) - used)) 'BEGIN { print (n >= 512 && n <= 512 * 1.05) }')" 1
is 'and less is left' "$(df_of 1000 4)" $((1024 - $(df_of 1000 3)))
run 1000 'rm /root/half'
run 1000 'dd if=/dev/zero of=/root/big bs=64k count=64' >"$T/said" 2>&1
is 'the quota stops a VE' "$?" 1
has 'with the right word' "$(cat "$T/said")" 'quota exceeded'
is 'no other' "$(run 1001 'dd if=/dev/zero of=/root/big bs=64k count=64 2>/dev/null; wc -c </root/big')" 4194304
is 'it may erase and write again' "$(run 1000 'rm /root/big; echo ok >/root/f; cat /root/f')" ok
made=$(run 1000 'i=0; while [ $i -lt 1000 ] && true >/root/empty$i; do i=$((i + 1)); done 2>/dev/null; echo $i; rm -f /root/empty*')
is 'so do files that take no room' "$([ "$made" -gt 16 ] && [ "$made" -lt 129 ] && echo yes || echo "$made")" yes
is 'no other' "$(run 1001 'i=0; while [ $i -lt 300 ] && true >/root/empty$i; do i=$((i + 1)); done; echo $i; rm -f /root/empty*')" 300

# what a reinstallation puts away is not the new tree's
again() { # NAME: a VE that is full is reinstalled
	run 1000 'dd if=/dev/zero of=/root/big bs=64k count=64' >/dev/null 2>&1
	op=$(act 1000 reinstall | json id)
	is "$1" "$(done_ "$op" | json state)" succeeded
	is 'and it has room' "$(run 1000 'dd if=/dev/zero of=/root/half bs=64k count=8 2>/dev/null; wc -c </root/half; rm /root/half')" 524288
	is 'as much as it may' "$(df_of 1000 2)" 1024
}
again 'a VE that is full is reinstalled'
swept() { [ -z "$(ls -A "$PRIVATE/.trash")" ]; }
until_ok 30 swept
again 'and once more'
until_ok 30 swept
run 1000 'dd if=/dev/zero of=/root/big bs=64k count=64' >"$T/said" 2>&1
has 'the quota stops it as before' "$(cat "$T/said")" 'quota exceeded'
run 1000 'rm -f /root/big'

# a pack is unpacked within the quota of its VE
put_disk() { # BYTES GENERATION
	api PUT /v1/ves/1000 -H 'If-Match: *' -D "$T/h" -o /dev/null \
		-d "{\"template\":\"tiny\",\"desired\":\"running\",\"generation\":$2,\"limits\":{\"disk_bytes\":$1}}"
	done_ "$(sed -n 's|^[Ll]ocation: */v1/operations/||p' "$T/h" | tr -d '\r')" >/dev/null
}
ended() { done_ "$(act 1000 "$1" | json id)"; }
put_disk 8388608 2
run 1000 'dd if=/dev/zero of=/root/big bs=64k count=80 2>/dev/null'
ended stop >/dev/null
is 'a VE is archived' "$(ended archive | json state)" succeeded
until_ok 30 swept
put_disk 1048576 3
r=$(ended start)
is 'it is not restored beyond its quota' "$(echo "$r" | json state),$(echo "$r" | json error.title)" failed,capacity-exhausted
put_disk 8388608 4
is 'but within it' "$(ended start | json state)" succeeded
is 'and is whole' "$(run 1000 'wc -c </root/big; rm /root/big')" 5242880
put_disk 1048576 5
until_ok 30 swept

fill "$PRIVATE"
r=$(make_ve 1002 tiny)
is 'private trees are full: a new VE fails' "$(echo "$r" | json state),$(echo "$r" | json error.title)" failed,capacity-exhausted
has 'and says so' "$(echo "$r" | json error.detail)" 'No space left'
is 'what runs goes on' "$(run 1001 'cat /root/big | wc -c')" 4194304
free_ "$PRIVATE"
op=$(act 1002 start | json id)
is 'with room again it starts' "$(done_ "$op" | json state)" succeeded

mount -o remount,ro "$PRIVATE"
r=$(make_ve 1003 tiny)
is 'private trees are read-only: a new VE fails' "$(echo "$r" | json state),$(echo "$r" | json error.title)" failed,tree-unwritable
mount -o remount,rw "$PRIVATE"

rm -rf "$TEMPLATES/other"
r=$(make_ve 1004 other)
has 'a template that went away' "$(echo "$r" | json error.title)$(cat "$T/h")" template-unknown

before=$(api GET /v1/ves | json 'items.#')
priv=$(part_pid priv)
kill -STOP "$priv"
api PUT /v1/ves/1001 -H 'If-Match: *' -D "$T/h" -o /dev/null \
	-d '{"template":"tiny","desired":"running","generation":2,"limits":{"disk_bytes":0,"processes":100}}'
op=$(sed -n 's|^[Ll]ocation: */v1/operations/||p' "$T/h" | tr -d '\r')
fill "$T/state"
kill -CONT "$priv"
unwritten() { grep -q 'end of operation .* cannot be written' "$T/log"; }
if until_ok 30 unwritten; then ok 'the state is full: the end of an operation is not written'; else not_ok 'the state is full: the end of an operation is not written'; fi
api GET "/v1/operations/$op?wait=3" >/dev/null
is 'and said once' "$(grep -c 'end of operation .* cannot be written' "$T/log")" 1
free_ "$T/state"
is 'with room again it ends' "$(done_ "$op" | json state)" succeeded
fill "$T/state"
is 'the state is full: a VE is not taken' "$(api PUT /v1/ves/1010 -H 'If-None-Match: *' -d "$(spec running 1)" | json title)" capacity-exhausted
is 'nor an action' "$(act 1001 stop | json title)" capacity-exhausted
is 'nor a block' "$(api PUT /v1/blocks/b9 -d '{"range":"10.99.0.0/30","term_ms":60000,"nonce":""}' | json title)" capacity-exhausted
is 'what was acknowledged is there' "$(api GET /v1/ves | json 'items.#')" "$before"
is 'what runs goes on' "$(run 1001 'echo alive')" alive
free_ "$T/state"
op=$(act 1001 restart | json id)
is 'with room again all goes on' "$(done_ "$op" | json state)" succeeded

n=$(api PUT /v1/blocks/b1 -d '{"range":"10.77.0.0/32","term_ms":60000,"nonce":""}' | json nonce)
api PUT /v1/blocks/b1 -d "{\"range\":\"10.77.0.0/32\",\"term_ms\":60000,\"nonce\":\"$n\"}" >/dev/null
ips() { api GET /v1/ves | tr '{' '\n' | grep -c '"ipv4":"'; }
one() { [ "$(ips)" = 1 ]; }
until_ok 20 one
is 'one address for three: the others run without' "$(ips),$(api GET /v1/node | json ves.running)" 1,3
has 'and are counted as waiting' "$(api GET /metrics)" 've_node_waiting 2'

kill "$AGENT"; wait "$AGENT" 2>/dev/null
start_agent
is 'after all that the state is whole' "$(api GET /v1/ves | json 'items.#')" "$((before))"
is 'no part died' "$(grep -c 'starting it again' "$T/log")" 0
kill "$AGENT"; wait "$AGENT" 2>/dev/null; AGENT=
umount "$T/state"
done_testing
