#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# In a guest with the debug kernel: each guard of the boundary is switched off in turn, and the tests that
# name it have to fail then ("all": every test is played, whichever it names; "all I N": for each N-th guard from the
# I-th, so that N guests share the work).  The last line is "guards N noticed N baseline_failed N".
all=''
[ "${1:-}" != all ] || all=1
from=${2:-1} of=${3:-1}
guards=/sys/kernel/debug/ve/guard
most=900 # seconds that a program may take; one that hangs without its guard has noticed
count() { grep -c "$1" /tmp/out; }

baseline=0 n=0 noticed=0 at=0
if [ -n "$all" ]; then set --; else set -- --guarded; fi
for p in /put/iso_*; do
	timeout "$most" "$p" "$@" >/tmp/out 2>&1 || echo "# ${p##*/} ended with $?" >>/tmp/out
	# one that breaks off has not failed a test, and proves nothing with a guard off
	grep -q '^not ok' /tmp/out || ! grep -q '^# .* ended with' /tmp/out || echo "not ok 0 - ${p##*/} does not come to its end" >>/tmp/out
	grep -E '^not ok|ended with' /tmp/out
	bad=$(count '^not ok')
	echo "${p##*/}: $(count '^ok') tests with a guard, $bad failed, $(cut -d. -f1 /proc/uptime) s"
	baseline=$((baseline + bad))
done
printf '%-14s %6s %6s  %s\n' guard tests failed 'first to notice'
for g in "$guards"/*; do
	name=${g##*/} at=$((at + 1))
	[ $(((at - from) % of)) -eq 0 ] || continue
	if [ -n "$all" ]; then set --; else set -- --guard "$name"; fi
	n=$((n + 1)) tests=0 failed=0 first='nobody'
	echo 0 >"$g"
	for p in /put/iso_*; do
		[ -n "$all" ] || "$p" --list | grep -qx "$name" || continue
		rc=0
		timeout "$most" "$p" "$@" >/tmp/out 2>&1 || rc=$?
		case $rc in
		124 | 137 | 143) echo "not ok 0 - ${p##*/} does not come to an end" >>/tmp/out ;;
		esac
		grep -qE '^(not )?ok' /tmp/out || { echo "${p##*/}, guard $name: it said nothing of use:"; tail -n 5 /tmp/out; }
		[ $failed -gt 0 ] || first=$(sed -n 's/^not ok [0-9]* - //p' /tmp/out | head -n 1)
		tests=$((tests + $(count '^\(not \)*ok'))) failed=$((failed + $(count '^not ok')))
	done
	echo 1 >"$g"
	[ $failed -eq 0 ] || noticed=$((noticed + 1))
	printf '%-14s %6d %6d  %s\n' "$name" $tests $failed "$first"
done
echo "guards $n noticed $noticed baseline_failed $baseline"
[ $n -eq $noticed ] && [ $baseline -eq 0 ]
