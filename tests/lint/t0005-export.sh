#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The series for reviewers: each new file comes once, what is code not with the last patch, and git takes each.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
kernel/export.sh >/dev/null || echo "# the export failed"
cd build/export || exit 1
is 'a patch for each of the series, and one' "$(find . -name '*.patch' | wc -l)" "$(($(grep -cv '^#' ../../kernel/series) + 1))"
new() { sed -n 'N;s/^diff --git a\/\([^ ]*\) .*\nnew file mode.*/\1/p;D' "$@" | LC_ALL=C sort; }
is 'each new file comes once' "$(new ./*.patch)" "$(cd ../../kernel/tree && find . -type f -printf '%P\n' | LC_ALL=C sort)"
is 'the last has no code' "$(new "$(find . -name '*.patch' | LC_ALL=C sort | tail -n 1)" | grep -v '^Documentation/\|^tools/')" ''
bad=''
for p in *.patch; do git apply --numstat "$p" >/dev/null 2>&1 || bad="$bad $p"; done
is 'git reads each' "$bad" ''
# What a patch includes is there by then.
: >have
early=''
for p in *.patch; do
	new "$p" >>have
	for f in $(sed -n 's/^+#include <\(linux\/\(ub\|ve\|venet\)[a-z_]*\.h\)>.*/include\/\1/p' "$p" | sort -u); do
		grep -qxF "$f" have || early="$early $p:$f"
	done
done
is 'no patch includes what a later one brings' "$early" ''
rm have
tap_end
