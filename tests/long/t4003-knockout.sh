#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each guard of the boundary is missed by a test when it is off, on the kernel "guards".  With "all" by all tests, each guard
# in a guest of its own, as many at once as there are CPUs.
set -u
cd "$(dirname "$0")/../.." || exit 1
puts=(--put tests/guest/isolation/knockout.sh)
for p in build/guest/bin/iso_*; do puts+=(--put "$p"); done
dir=$(mktemp -d "${TMPDIR:-/tmp}/ve-knockout.XXXXXX")
trap 'rm -rf "$dir"' EXIT
play() { # name of its log, arguments
	local log=$dir/$1
	shift
	tests/guest/run --kernel=guards --smp 1 --mem 2048 --append ve.word=CANARY-16-boot --timeout 14000 "${puts[@]}" -- \
		sh /put/knockout.sh "$@" 2>&1 | tee "$log" | sed -u "s/^/#| /"
	return "${PIPESTATUS[0]}"
}
make -s kernel-guards || exit 1
rc=0
if [ "${1:-}" = all ]; then
	play none all none || rc=1
	for guard in $(sed -n 's/^guards //p' "$dir/none"); do
		while [ "$(jobs -pr | wc -l)" -ge "$(nproc)" ]; do wait -n; done
		play "$guard" all "$guard" &
	done
	wait
	sum=$(cat "$dir"/* | awk '$1 == "guards" { g = NF - 1 } $1 == "sweep" && $2 == "none" { b = $4 }
		$1 == "sweep" && $2 != "none" && $4 > 0 { n++ } END { print "guards " g+0 " noticed " n+0 " baseline_failed " b+0 }')
	echo "#| $sum"
	echo "$sum" | awk '{ exit !($2 > 0 && $2 == $4 && $6 == 0) }' || rc=1
else
	play mapped || rc=1
	sum=$(sed -n '$p' "$dir/mapped")
fi
[ $rc = 0 ] && echo "ok 1 - $sum" || echo "not ok 1 - a guard could go and nobody would notice: $sum"
echo 1..1
exit $rc
