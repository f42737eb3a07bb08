#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Debian's own free, top, ps, uptime, vmstat and nproc read a VE right.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d "${TMPDIR:-/tmp}/ve-tools.XXXXXX")
trap 'rm -rf "$work"' EXIT
for p in free top ps uptime vmstat nproc; do
	f=$(command -v $p) || { echo "t5006: $p is missing; apt-get install procps" >&2; exit 2; }
	cp -L "$f" "$work/"
	ldd "$f" | grep -o '/[^ ]*' | while read -r lib; do cp -L "$lib" "$work/"; done
done
mkdir "$work/d"
cp -L /lib/terminfo/d/dumb "$work/dumb"
rmdir "$work/d"
cat >"$work/inside" <<'T'
cd /root
n=0
is() { n=$((n + 1)); if [ "$2" = "$3" ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; echo "# '$2', not '$3'"; fi; }
near() { awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; print d <= b * 0.05 && -d <= b * 0.05 ? "near" : "far" }'; }
export TERMINFO=/root/terminfo TERM=dumb
t() { p=$1; shift; exec ./ld-linux-x86-64.so.2 --library-path /root "./$p" "$@"; }
mkdir -p terminfo/d && mv dumb terminfo/d/
until grep -q '^MemTotal: *262144 kB' /proc/meminfo; do sleep 0.1; done
row() { t free -k | awk -v r="$1:" -v n="$2" '$1 == r { print $n }'; }
is 'free: all there is' "$(row Mem 2)" 262144
shared=$(row Mem 5)
dd if=/dev/zero of=/run/blob bs=1M count=12 2>/dev/null
is 'free: what is shared' "$(near $(($(row Mem 5) - shared)) 12288)" near
is 'free: what is available' "$(near "$(row Mem 7)" "$(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo)")" near
is 'vmstat: all there is' "$(t vmstat -s -S K | awk '/total memory/ { print $1 }')" 262144
is 'vmstat: what is free' "$(near "$(t vmstat 1 2 | tail -n 1 | awk '{ print $4 }')" "$(sed -n 's/^MemFree: *\([0-9]*\).*/\1/p' /proc/meminfo)")" near
is 'top: all there is' "$(t top -b -n 1 | sed -n 's/^MiB Mem : *\([0-9.]*\) total.*/\1/p')" 256.0
is 'nproc: its CPUs' "$(t nproc)" "$(grep -c ^processor /proc/cpuinfo)"
for i in 1 2 3 4 5; do sleep 1000 & done
is 'ps: its processes and no other' "$(t ps -e -o comm= | grep -c '^sleep$')" 5
is 'ps: all of them' "$(t ps -e -o pid= | grep -c .)" "$(($(ls /proc | grep -c '^[0-9]*$')))"
is 'ps: the first is its init' "$(t ps -o pid=,ppid= -p 1 | tr -s ' ')" ' 1 0'
is 'ps: which is as old as the VE' "$(($(t ps -o etimes= -p 1) + 2 >= $(cut -d. -f1 /proc/uptime)))" 1
is 'top: so many' "$(t top -b -n 1 | sed -n 's/^Tasks: *\([0-9]*\) total.*/\1/p')" "$(t ps -e -o pid= | sed -n '$=')"
is 'uptime: since the VE began' "$(t uptime -p)" "$(awk '{ m = int($1 / 60); print "up " m (m == 1 ? " minute" : " minutes") }' /proc/uptime)"
echo "1..$n"
T
puts=() names=''
for f in "$work"/*; do puts+=(--put "$f") names="$names --put /put/${f##*/}"; done
tests/guest/run --timeout 300 "${puts[@]}" -- sh -c "
	(until echo 268435456 >\$(ls -d /sys/fs/cgroup/ve/*/memory.max 2>/dev/null | head -n 1); do sleep 0.1; done) 2>/dev/null &
	verun --template /usr/share/ve/template/tiny $names /bin/sh /root/inside" >"$work/out" || :
cat "$work/out"
! grep -q '^not ok' "$work/out" && grep -q '^1\.\.' "$work/out"
