#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a VE may do is what docs/surface.md says; --write makes it so.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lib/tap.sh
got=build/guest/surface.md
tests/guest/run --smp 1 --timeout 300 --put build/guest/bin/surface -- surface | sed '/^1\.\./d' >"$got"
if [ "${1:-}" = --write ]; then
	cp "$got" docs/surface.md
	exit
fi
as_in 'the surface is the one in docs/surface.md' docs/surface.md "$got" surface
tap_end
