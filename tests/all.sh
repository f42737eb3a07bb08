#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# make test: from a fresh Debian 12 to the last line "N passed, N failed, N skipped".
set -eu
cd "$(dirname "$0")/.."
begin=$(date +%s)
export TEST_VERBOSE=1
say() { printf '== %4d s  %s\n' $(($(date +%s) - begin)) "$*"; }
bad=0
must() { # what cannot be made counts as a failed test, and the rest still runs where it can
	"$@" || { echo "FAIL $*"; echo "0 1 0" >>build/test-logs/results; bad=1; return 1; }
}

tests/harness.sh begin
say 'packages'
must provisioning/packages/install.sh build run test || { tests/harness.sh summary; exit 1; }
say 'programs'
must make -s -j"$(nproc)" all
say 'unit, schema, API and page tests'
make -s check-units || bad=1
say 'kernel'
must make -s kernel guest && {
	say 'kernel tests in guests'
	make -s check-guest || bad=1
	say 'node image'
	must make -s image && {
		say 'the whole way'
		make -s check-story || bad=1
	}
}
say 'KUnit'
must make -s kernel-kunit && { tests/harness.sh run tests/guest/kunit.sh || bad=1; }
# The debug kernel takes as long to build as everything else; a run that has come so late does without, and says so.
if [ $(($(date +%s) - begin)) -lt "${DEBUG_UNTIL:-3300}" ]; then
	say 'debug kernel'
	must make -s kernel-debug && {
		say 'tests on the debug kernel'
		make -s check-debug || bad=1
	}
else
	say 'no time for the debug kernel: its tests are skipped (make kernel-debug check-debug runs them)'
	echo "0 0 $(find tests/guest -name 't*-debug-*.sh' | wc -l)" >>build/test-logs/results
fi
say 'done'
tests/harness.sh summary || bad=1
exit $bad
