#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# System calls that are none, and each that is with arguments and addresses that are none, files of /proc and devices
# read and written, by stress-ng as root and as a user of a VE, on the debug kernel, for an hour (FUZZ_SECONDS); the VE
# may end under it, and another begins.  Then the node is what it was.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib/tap.sh
. tests/lib/debian.sh
long=${FUZZ_SECONDS:-3600}
work=$(mktemp -d "${TMPDIR:-/tmp}/ve-bad-calls.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo '# fetching stress-ng'
debian_image "$work/debian.img" 500M stress-ng,sysvinit-core

cat >"$work/inside" <<'END'
# As root of the VE; it goes where it may write.
mkdir -p /tmp/fuzz && chmod 777 /tmp/fuzz && cd /tmp/fuzz
as=''
[ "$1" = root ] || as='setpriv --reuid 1000 --regid 1000 --clear-groups'
$as timeout -k 5 100 stress-ng --pathological --seed "$2" --timeout 40 --sysinval 1 --sysbadaddr 1 --enosys 1 --procfs 1 --dev 1 --metrics 2>&1
END
cat >"$work/node" <<'END'
# What nothing inside a VE may change, but for counters and clocks
state() {
	hostname
	cat /proc/mounts /proc/swaps
	find /proc/sys/net/ipv4 /proc/sys/net/core /proc/sys/kernel /proc/sys/vm -type f ! -name '*random*' ! -name uuid \
		! -name ns_last_pid ! -name flush ! -path '*/pty/nr' ! -path '*/random/*' ! -name stat_refresh ! -name 'tcp_mem' |
		sort | while read -r f; do echo "$f $(cat "$f" 2>/dev/null)"; done
	ip addr show
	ip route show
	find /run/debian -xdev -type f | sort | head -n 200 | xargs md5sum
	ls /dev /tmp /root
}
mkdir -p /run/debian && mount -t ext4 -o ro /dev/vda /run/debian
now() { cut -d. -f1 /proc/uptime; }
verun /bin/echo one VE has been
state >/run/before
end=$(($(now) + $1)) n=0
while [ "$(now)" -lt $end ]; do
	n=$((n + 1)) as=root
	[ $((n % 2)) = 1 ] || as=user
	rm -rf /var/lib/ve/private/*
	timeout -k 5 120 verun --template /run/debian --put /put/inside /bin/sh /root/inside $as $n >/run/said 2>&1
	sed "s/^/$as: /" /run/said
	echo "$(now) s: round $n ended"
done
echo "rounds $n"
verun /bin/echo a VE runs
state >/run/after
cmp /run/before /run/after && echo the node is what it was || diff /run/before /run/after
END
rc=0
tests/guest/run --kernel=debug --mem 2048 --timeout $((long * 2 + 1200)) --disk "$work/debian.img:ro" --put "$work/node" \
	--put "$work/inside" -- sh /put/node "$long" >"$work/said" 2>&1 || rc=$?
sed 's/^/#| /' "$work/said"
said=$(cat "$work/said")
is 'the kernel has nothing to complain of' "$rc" 0
for as in root user; do
	for what in sysinval sysbadaddr enosys; do like "$as: $what" "$said" "$as: .* $what +[1-9]"; done
done
like 'a VE can be made after it' "$said" 'a VE runs'
like 'the node is what it was' "$said" 'the node is what it was'
tap_end
