#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All isolation tests on the debug kernel, with what only it can play.
puts=(--put tests/guest/isolation/all.sh)
for p in build/guest/bin/iso_*; do puts+=(--put "$p"); done
exec tests/guest/run --kernel=debug --smp 1 --append ve.word=CANARY-16-boot --timeout 7200 "${puts[@]}" -- sh /put/all.sh
