#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Upstream's own selftests give the same results on the node with our kernel as with the unpatched one.  They are built
# from the unpatched source, and run in the Debian of the node image.  KSELFTESTS="pidfd ptrace" picks collections.
# The clock counts instructions, so that tests of times do not see what else the host does.
# Some of them are races, which a clock that counts instructions has end the same way each time, though not on another
# kernel: what differs is played again on both by the time of day, three times at most, and counts as it was then where
# both say the same.
# build/test-logs/kselftest-{base,prod}.txt keep each test's verdict; what differs is printed.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib/tap.sh
collections=${KSELFTESTS:-nsfs pid_namespace timens pidfd clone3 mount mount_setattr proc cgroup seccomp landlock ptrace ipc timers}
net=${KSELFTESTS_NET-reuseport_bpf_cpu reuseaddr_conflict socket tls sk_bind_sendto_listen sk_connect_zero_addr bind_wildcard tcp_inq ip_defrag}
make -s kernel kernel-base guest image
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vestibule/kernel
src=$cache/src-base obj=$cache/obj-selftests logs=build/test-logs
work=$(mktemp -d "${TMPDIR:-/tmp}/ve-kselftest.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$obj" "$logs"

echo '# building'
make -s -C "$src" O="$obj" ARCH=x86_64 defconfig headers >"$logs/kselftest-build.log" 2>&1
make -s -C "$src/tools/testing/selftests" O="$obj" ARCH=x86_64 TARGETS="$collections net" SKIP_TARGETS='' KHDR_INCLUDES="-isystem $obj/usr/include" \
	INSTALL_PATH="$work/kselftest" FORCE_TARGETS= install >>"$logs/kselftest-build.log" 2>&1 || {
	tail -n 5 "$logs/kselftest-build.log" | sed 's/^/# /'
	echo 'Bail out! the selftests were not built'
	exit 1
}
# Of net, those by name: the others want hardware, hours or a network.  seccomp_benchmark compares times with
# times, which an emulated machine does not keep.
{
	grep -v -e '^net:' -e '^seccomp:seccomp_benchmark$' "$work/kselftest/kselftest-list.txt" || :
	for t in $net; do grep -x "net:$t" "$work/kselftest/kselftest-list.txt" || :; done
} >"$work/list" && mv "$work/list" "$work/kselftest/kselftest-list.txt"

cat >"$work/inside" <<'T'
# On the node: Debian from the image, a layer to write on, and the runner in it
mkdir -p /low /new
mount -t ext4 -o ro /dev/vda /low
mount -t tmpfs tmpfs /mnt && mkdir /mnt/up /mnt/work
mount -t overlay -o lowerdir=/low,upperdir=/mnt/up,workdir=/mnt/work overlay /new
for d in proc sys dev; do mount --rbind /$d /new/$d; done
mount -t tmpfs tmpfs /new/run && mount -t tmpfs tmpfs /new/tmp
mkdir /new/kselftest && tar -x -f /put/kselftest.tar -C /new/kselftest
# Each test may take so many seconds: an emulated machine is slow
chroot /new /bin/bash -c 'cd /kselftest && PATH=/usr/sbin:/usr/bin:/sbin:/bin ./run_kselftest.sh -o 300' 2>&1
T
guest() { # KERNEL [--icount]: each verdict, of a test and of the cases in it, behind its name; without times and numbers of processes
	tar -C "$work/kselftest" -cf "$work/kselftest.tar" .
	tests/guest/run --kernel="$1" "${@:2}" --mem 2048 --smp 1 --timeout 5400 --disk build/image/node.img:ro --put "$work/kselftest.tar" --put "$work/inside" -- \
		sh /put/inside >"$work/$1.out" 2>&1 || :
	cat "$work/$1.out" >>"$logs/kselftest-$1.log"
	awk '/^# selftests: / { name = $3 $4; next } /^(# )*(not )?ok [0-9]+ / { print name, $0 }' "$work/$1.out" |
		sed -E 's/ok [0-9]+ /ok /; s/ # (exit=|TIMEOUT).*//; s/0x[0-9a-f]+|[0-9]{3,}/N/g' | sort >"$work/$1.txt"
}
of() { awk -v n="$1" '$1 == n' "$2"; }
differing() { diff "$1/kselftest-base.txt" "$1/kselftest-prod.txt" | sed -n 's/^[<>] \([^ ]*\) .*/\1/p' | sort -u; }
for k in base prod; do
	: >"$logs/kselftest-$k.log"
	guest $k --icount
	cp "$work/$k.txt" "$logs/kselftest-$k.txt"
	echo "#| $k: $(grep -c '^[^ ]* ok selftests' "$work/$k.txt") tests good, $(grep -c '^[^ ]* not ok selftests' "$work/$k.txt") not"
done
cp "$work/kselftest/kselftest-list.txt" "$work/list"
for _ in 1 2 3; do
	differing "$logs" >"$work/kselftest/kselftest-list.txt"
	[ -s "$work/kselftest/kselftest-list.txt" ] || break
	echo "#| again, on both: $(paste -sd' ' "$work/kselftest/kselftest-list.txt")"
	guest base
	guest prod
	while read -r name; do
		cmp -s <(of "$name" "$work/base.txt") <(of "$name" "$work/prod.txt") || continue
		for k in base prod; do
			{ awk -v n="$name" '$1 != n' "$logs/kselftest-$k.txt"; of "$name" "$work/$k.txt"; } | sort >"$work/merged"
			cp "$work/merged" "$logs/kselftest-$k.txt"
		done
	done <"$work/kselftest/kselftest-list.txt"
done
ok 'tests ran' [ "$(grep -c '^[^ ]* ok selftests' "$logs/kselftest-base.txt")" -gt 20 ]
difference=$(diff "$logs/kselftest-base.txt" "$logs/kselftest-prod.txt" | grep '^[<>]') || :
echo "#| ${difference:-no difference}" | sed '2,$s/^/#| /'
missing=''
for c in $collections net; do grep -q "^$c:" "$work/list" || missing="$missing $c"; done
is 'each collection was built' "$missing" ''
is 'our kernel gives the same results as the unpatched one' "$difference" ''
tap_end
