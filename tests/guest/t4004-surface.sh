#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a VE may do is what docs/surface.md says; --write makes it so.
set -eu
cd "$(dirname "$0")/../.."
got=build/guest/surface.md
tests/guest/run --smp 1 --timeout 300 --put build/guest/bin/surface -- surface | grep -v '^1\.\.' >"$got"
if [ "${1:-}" = --write ]; then
	cp "$got" docs/surface.md
	exit
fi
if diff -u docs/surface.md "$got" >"$got.diff"; then
	echo "ok 1 - the surface is the one in docs/surface.md"
else
	sed 's/^/# /' "$got.diff" | head -n 100
	echo "not ok 1 - the surface is another than docs/surface.md: look at it, then make surface"
fi
echo 1..1
