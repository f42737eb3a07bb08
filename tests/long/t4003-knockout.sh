#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each guard of the boundary is missed by a test when it is off (debug kernel); with "all", of all tests.
set -u
cd "$(dirname "$0")/../.." || exit 1
puts=(--put tests/guest/isolation/knockout.sh)
for p in build/guest/bin/iso_*; do puts+=(--put "$p"); done
out=$(mktemp "${TMPDIR:-/tmp}/ve-knockout.XXXXXX")
trap 'rm -f "$out"' EXIT
tests/guest/run --kernel=debug --smp 1 --mem 2048 --append ve.word=CANARY-16-boot --timeout 14000 "${puts[@]}" -- sh /put/knockout.sh "${1:-}" 2>&1 | tee "$out" | sed -u 's/^/# /'
rc=${PIPESTATUS[0]}
[ "$rc" = 0 ] && echo "ok 1 - $(tail -n 1 "$out")" || echo "not ok 1 - a guard could go and nobody would notice"
echo 1..1
exit "$rc"
