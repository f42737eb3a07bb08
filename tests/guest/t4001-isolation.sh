#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Isolation, each attack beside the same call where it is allowed; see tests/guest/isolation.
# make test-long has them on the debug kernel too.
# One CPU: an emulated second one sometimes stumbles over code that is patched under it (a static key, by perf).
set -eu
cd "$(dirname "$0")/../.."
puts=(--put tests/guest/isolation/all.sh)
for p in build/guest/bin/iso_*; do puts+=(--put "$p"); done
exec tests/guest/run --smp 1 --append ve.word=CANARY-16-boot --timeout 580 "${puts[@]}" -- sh /put/all.sh
