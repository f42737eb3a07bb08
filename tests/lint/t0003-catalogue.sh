#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every case of the catalogue of attacks has one line, and what a line names is there.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
dir=tests/guest/isolation
rows() { sed -n 's/^| \(E[0-9][0-9]\) | \([^|]*\) | \(.*\) |$/\1\t\2\t\3/p' $dir/README.md; }
is 'each case from E01 to E80 has one line' "$(rows | cut -f1)" "$(seq -f 'E%02g' 80)"
missing() {
	rows | while IFS=$'\t' read -r id file words; do
		case $file in
		-) [ ${#words} -gt 20 ] || echo "$id gives no reason" ;;
		*/*) grep -qiF -- "$words" "$file" || echo "$id: $file has no '$words'" ;;
		*) grep -qF -- "$words" "$dir/$file.c" || echo "$id: $file.c has no '$words'" ;;
		esac
	done
}
is 'what each line names is there' "$(missing 2>&1)" ''
tap_end
