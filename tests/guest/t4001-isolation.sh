#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Isolation, each attack beside the same call where it is allowed; see tests/guest/isolation.
# usage: t4001-isolation.sh [prod|debug]
# One CPU: an emulated second one sometimes stumbles over code that is patched under it (a static key, by perf).
set -eu
cd "$(dirname "$0")/../.."
puts=(--put tests/guest/isolation/all.sh)
for p in build/guest/bin/iso_*; do puts+=(--put "$p"); done
exec tests/guest/run --kernel="${1:-prod}" --smp 1 --timeout 580 "${puts[@]}" -- sh /put/all.sh
