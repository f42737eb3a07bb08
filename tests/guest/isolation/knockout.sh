#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# In a guest whose kernel has /sys/kernel/debug/ve/guard (guards, debug):
#   knockout.sh            each guard of the boundary is switched off in turn, and the tests that name it have to fail
#                          then; the last line is "guards N noticed N baseline_failed N"
#   knockout.sh all NAME   every test with that guard off ("none": with all on, and the guards' names), in a guest where
#                          nothing else has been played: "sweep NAME tests failed the first to notice"
guards=/sys/kernel/debug/ve/guard
most=900 # seconds that a program may take; one that hangs without its guard has noticed
count() { grep -c "$1" /tmp/out; }

# A program that broke off has left its VEs; the next needs their numbers
end_left() {
	for s in /proc/[0-9]*/status; do
		[ "$(sed -n 's/^envID:[^0-9]*//p' "$s" 2>/dev/null)" -gt 0 ] 2>/dev/null || continue
		s=${s%/status} && kill -9 "${s#/proc/}" 2>/dev/null
	done
	for _ in $(seq 300); do
		[ "$(grep -c '^ *[0-9]' /proc/ve)" -gt 0 ] || break
		sleep 0.2
	done
	rm -rf /var/lib/ve/private/*
}

play() { # program, arguments
	program=$1 rc=0
	shift
	timeout "$most" "$program" "$@" >/tmp/out 2>&1 || rc=$?
	case $rc in
	124 | 137 | 143) echo "not ok 0 - ${program##*/} does not come to an end" >>/tmp/out ;;
	esac
	[ $rc -le 1 ] || end_left
	grep -qE '^(not )?ok' /tmp/out || { echo "${program##*/}: it said nothing of use, and ended with $rc:"; tail -n 5 /tmp/out; }
	[ $failed -gt 0 ] || first=$(sed -n 's/^not ok [0-9]* - //p' /tmp/out | head -n 1)
	tests=$((tests + $(count '^\(not \)*ok'))) failed=$((failed + $(count '^not ok')))
}

# What fails with all guards on; one that breaks off has not failed a test, and proves nothing with a guard off
baseline() {
	for p in /put/iso_*; do
		tests=0 failed=0 first=nobody
		play "$p" "$@"
		[ $rc -le 1 ] || [ $failed -gt 0 ] || { echo "${p##*/} ended with $rc" && failed=1; }
		grep '^not ok' /tmp/out
		echo "${p##*/}: $tests tests, $failed failed, $(cut -d. -f1 /proc/uptime) s"
		bad=$((bad + failed)) all=$((all + tests))
	done
}

all=0 bad=0
if [ "${1:-}" = all ]; then
	if [ "$2" = none ]; then
		baseline
		echo "guards $(ls "$guards" | tr '\n' ' ')"
		echo "sweep none $all $bad"
		exit
	fi
	tests=0 failed=0 first=nobody
	echo 0 >"$guards/$2"
	for p in /put/iso_*; do play "$p"; done
	echo "sweep $2 $tests $failed $first"
	exit
fi

baseline --guarded
n=0 noticed=0
printf '%-14s %6s %6s  %s\n' guard tests failed 'first to notice'
for g in "$guards"/*; do
	name=${g##*/} n=$((n + 1)) tests=0 failed=0 first=nobody
	echo 0 >"$g"
	for p in /put/iso_*; do
		! "$p" --list | grep -qx "$name" || play "$p" --guard "$name"
	done
	echo 1 >"$g"
	[ $failed -eq 0 ] || noticed=$((noticed + 1))
	printf '%-14s %6d %6d  %s\n' "$name" $tests $failed "$first"
done
echo "guards $n noticed $noticed baseline_failed $bad"
[ $n -eq $noticed ] && [ $bad -eq 0 ]
