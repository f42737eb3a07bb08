#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each guard of the boundary is missed by a test when it is off (debug kernel).
set -eu
cd "$(dirname "$0")/../.."
puts=(--put tests/guest/isolation/knockout.sh)
for p in build/guest/bin/iso_*; do puts+=(--put "$p"); done
out=$(tests/guest/run --kernel=debug --smp 1 --timeout 7200 "${puts[@]}" -- sh /put/knockout.sh 2>&1) && rc=0 || rc=$?
printf '%s\n' "$out" | sed 's/^/# /'
[ $rc = 0 ] && echo "ok 1 - $(printf '%s\n' "$out" | tail -n 1)" || echo "not ok 1 - a guard could go and nobody would notice"
echo 1..1
exit $rc
