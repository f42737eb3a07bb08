#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each guard of the boundary is missed by a test when it is off (debug kernel); with "all", of all tests, in as many
# guests as there are CPUs.
set -u
cd "$(dirname "$0")/../.." || exit 1
puts=(--put tests/guest/isolation/knockout.sh)
for p in build/guest/bin/iso_*; do puts+=(--put "$p"); done
guests=1
[ "${1:-}" != all ] || guests=$(nproc)
dir=$(mktemp -d "${TMPDIR:-/tmp}/ve-knockout.XXXXXX")
trap 'rm -rf "$dir"' EXIT
play() { # number, which tests
	tests/guest/run --kernel=debug --smp 1 --mem 2048 --append ve.word=CANARY-16-boot --timeout 14000 "${puts[@]}" -- \
		sh /put/knockout.sh "$2" "$1" "$guests" 2>&1 | tee "$dir/$1" | sed -u "s/^/#| /"
	return "${PIPESTATUS[0]}"
}
pids=()
for i in $(seq "$guests"); do play "$i" "${1:-}" & pids+=($!); done
rc=0
for p in "${pids[@]}"; do wait "$p" || rc=1; done
sum=$(sed -s -n '$p' "$dir"/* | awk '{g += $2; n += $4; b += $6} END {print "guards " g " noticed " n " baseline_failed " b}')
echo "#| $sum"
[ $rc = 0 ] && echo "ok 1 - $sum" || echo "not ok 1 - a guard could go and nobody would notice: $sum"
echo 1..1
exit $rc
