#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The KUnit tests beside the kernel's code, run as a program (ARCH=um), as flat TAP.
set -eu
cd "$(dirname "$0")/../.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
timeout 120 build/kernel/kunit/vmlinux mem=1G console=tty kunit_shutdown=halt kunit.enable=1 >"$log" 2>&1 </dev/null || true
# A case is a line indented by one level; a suite repeats the verdict of its cases.
sed -n 's/^    \(\(not \)\?ok .*\)/\1/p' "$log" |
	awk '{ verdict = /^not/ ? "not ok" : "ok"; sub(/^(not )?ok [0-9]+ /, ""); printf "%s %d - %s\n", verdict, ++n, $0; bad += verdict != "ok" }
	     END { printf "1..%d\n", n; exit bad || !n }' || { sed 's/^/# /' "$log" | tail -n 60; exit 1; }
