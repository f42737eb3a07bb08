#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What our changes cost common system calls, in instructions: on the node against the unpatched kernel, and
# inside a VE with limits against stock namespaces on the unpatched kernel.  A boot each, interleaved; the
# least of BOOTS counts, and the unpatched kernel against itself is the noise.  Over 1 % on the node, or 3 % inside, it
# ends with status 1.
set -euo pipefail
cd "$(dirname "$0")/../.."
make -s kernel-base
boots=${BOOTS:-5}
program=build/guest/bin/bench_overhead
# Nothing lies where chance wants it, in the kernel or in the program
guest() {
	local kernel=$1
	shift
	tests/guest/run --kernel="$kernel" --icount --smp 1 --append 'nokaslr norandmaps' --timeout 900 --put "$program" -- /put/bench_overhead "$@" </dev/null
}
for metric in fork exec mmap fault pipe socket open flock; do
	for subject in vestibule base base_again vestibule_inside base_inside; do
		echo "$metric icount $subject instructions want"
	done
done
samples=$(mktemp "${TMPDIR:-/tmp}/ve-overhead.XXXXXX")
trap 'rm -f "$samples"' EXIT
for ((i = 0; i < boots; i++)); do
	guest prod vestibule icount
	guest base base icount
	guest base base_again icount
	guest prod --ve vestibule_inside icount
	guest base --stock base_inside icount
done | tee "$samples"
awk '
	!(($1, $3) in least) || $5 + 0 < least[$1, $3] { least[$1, $3] = $5 + 0; metrics[$1] }
	function over(metric, ours, theirs, percent,    more) {
		more = 100 * (least[metric, ours] / least[metric, theirs] - 1)
		if (more <= percent)
			return
		printf "overhead: %s takes %.2f %% more of %s than of %s; %s %% is the bound\n", metric, more, ours, theirs, percent
		bad = 1
	}
	END {
		for (m in metrics) {
			over(m, "vestibule", "base", 1)
			over(m, "vestibule_inside", "base_inside", 3)
		}
		exit bad
	}' "$samples" >&2
