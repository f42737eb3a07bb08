#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Run test programs that speak TAP, JOBS at a time (1), a line each, and count.
#
#   tests/harness.sh run FILE...     build/test-logs/NAME.log has all a test said; what follows "#| " is shown too
#   tests/harness.sh summary         the last line: N passed, N failed, N skipped
#
# A test that ends with a status, without a plan, or after TEST_TIMEOUT seconds has failed once more
# than it says itself.
set -eu
cd "$(dirname "$0")/.."
logs=build/test-logs
mkdir -p "$logs"
results=$logs/results

run_one() {
	local file=$1 name log rc=0 start
	name=$(basename "$file" .sh)
	log=$logs/$name.log
	start=$(date +%s)
	case $file in */*) ;; *) file=./$file ;; esac
	CMOCKA_MESSAGE_OUTPUT=TAP timeout --kill-after=20 "${TEST_TIMEOUT:-900}" "$file" >"$log" 2>&1 </dev/null || rc=$?
	awk -v rc=$rc -v name="$name" -v seconds=$(($(date +%s) - start)) '
		/^ok / { if (/# SKIP/) skipped++; else passed++; next }
		/^not ok / { failed++; bad = bad "\n      " $0; next }
		/^1\.\.0 *# *SKIP/ { skipped++; plan = 1; next }
		/^1\.\.[0-9]+/ { plan = 1 }
		/^#\| / { shown = shown "\n" substr($0, 4) }
		END {
			if (rc == 124) bad = bad "\n      ran out of time"
			if (rc && rc != 77 && !failed) { failed++; bad = bad "\n      ended with status " rc }
			if (!plan && !failed) { failed++; bad = bad "\n      no plan" }
			printf "%s %-32s %4d passed %s%s %4d s%s\n", failed ? "FAIL" : "ok  ", name, passed,
				failed ? failed " failed " : "", skipped ? skipped " skipped" : "", seconds, bad shown
			printf "%d %d %d\n", passed, failed, skipped >> "'"$results"'"
			exit failed ? 1 : 0
		}' "$log" || {
		if [ -n "${TEST_VERBOSE:-}" ]; then
			tail -n 60 "$log" | sed 's/^/      | /'
		fi
		return 1
	}
}

case ${1:-} in
run)
	shift
	bad=0
	running=0
	for f; do
		if [ "$running" -ge "${JOBS:-1}" ]; then
			wait -n || bad=1
			running=$((running - 1))
		fi
		run_one "$f" &
		running=$((running + 1))
	done
	while [ "$running" -gt 0 ]; do
		wait -n || bad=1
		running=$((running - 1))
	done
	exit $bad
	;;
begin) : >"$results" ;;
summary)
	awk '{ p += $1; f += $2; s += $3 } END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f || !p }' "$results"
	;;
*) echo "usage: harness.sh begin|run FILE...|summary" >&2; exit 2 ;;
esac
