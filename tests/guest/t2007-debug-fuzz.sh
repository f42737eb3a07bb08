#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two minutes of VE calls with nearly right arguments and failing allocations (debug kernel): the kept seeds first,
# then one that nobody has seen.  make test-long has an hour of it.
cd "$(dirname "$0")/../.." || exit 1
seeds=$(grep -v '^#' tests/guest/fuzz-seeds | tr '\n' ' ')
exec tests/guest/run --kernel=debug --timeout 600 -- sh -c "
	bad=0 n=0
	for s in $seeds ''; do
		n=\$((n + 1)) time=20
		[ -n \"\$s\" ] || time=60
		if fuzz_test \$time \$s >/tmp/out 2>&1; then echo \"ok \$n - seed \${s:-new}: \$(grep -m1 -i seed /tmp/out)\"
		else cat /tmp/out | sed 's/^/# /'; echo \"not ok \$n - seed \${s:-new}\"; bad=1; fi
	done
	echo 1..\$n
	exit \$bad"
