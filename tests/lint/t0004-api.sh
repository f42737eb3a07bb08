#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# docs/api.md lists the calls that there are, with their fields.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
code() {
	sed -n 's/^ { METHOD_\([A-Z]*\), *"\(\/api\/v1[^"]*\)", *WHO_\([A-Z]*\), *LANE_[A-Z]*, *[A-Z0]*, *[A-Z0]*, *\("[^"]*"\( PLAN\)\{0,1\}\|PLAN\), .*/\1 \2 \L\3\E \4/p' portal/route.c |
		sed 's/"plan " PLAN/plan and those of a plan/; s/PLAN/those of a plan/; s/"//g; s/ *$//'
}
page() { sed -n 's/^| \([A-Z]*\) | `\(\/api[^`]*\)` | \([a-z]*\) | \([^|]*\)|.*/\1 \2 \3 \4/p' docs/api.md | sed 's/ *$//'; }
ok 'there are calls' test "$(code | wc -l)" -ge 30
is 'the page lists each as it is' "$(page)" "$(code)"
tap_end
