#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How exactly the CPU follows weights: 100 VEs, weights 1:2:3:4, one to three processes each, SECONDS (60) long, beside
# cgroups with the same weights on the unpatched kernel; with one CPU and with two, ROUNDS (3) each, interleaved.
set -eu
cd "$(dirname "$0")/../.."
make -s kernel-base
rounds=${ROUNDS:-3} seconds=${SECONDS_EACH:-60}
program=build/guest/bin/bench_fair
guest() {
	local kernel=$1 cpus=$2
	shift 2
	tests/guest/run --kernel="$kernel" --smp "$cpus" --timeout 900 --put "$program" -- /put/bench_fair "$@" "$seconds" </dev/null
}
for cpus in 1 2; do
	for subject in vestibule base; do
		echo "rms_error_${cpus}cpu wall $subject percent want"
	done
done
for ((i = 0; i < rounds; i++)); do
	for cpus in 1 2; do
		guest prod $cpus --ve rms_error_${cpus}cpu vestibule
		guest base $cpus --cgroup rms_error_${cpus}cpu base
	done
done
