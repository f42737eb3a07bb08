#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What our changes cost common system calls, in instructions: on the node against the unpatched kernel, and
# inside a VE with limits against stock namespaces on the unpatched kernel.  A boot each, interleaved; the
# least of BOOTS counts, and the unpatched kernel against itself is the noise.
set -eu
cd "$(dirname "$0")/../.."
make -s kernel-base
boots=${BOOTS:-5}
program=build/guest/bin/bench_overhead
guest() {
	local kernel=$1
	shift
	tests/guest/run --kernel="$kernel" --icount --smp 1 --append nokaslr --timeout 900 --put "$program" -- /put/bench_overhead "$@" </dev/null
}
for metric in fork exec mmap fault pipe socket open flock; do
	for subject in vestibule base base_again vestibule_inside base_inside; do
		echo "$metric icount $subject instructions want"
	done
done
for ((i = 0; i < boots; i++)); do
	guest prod vestibule icount
	guest base base icount
	guest base base_again icount
	guest prod --ve vestibule_inside icount
	guest base --stock base_inside icount
done
