#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a reader should not have to look for: licences, sizes, shell, man pages, spelling, leaks.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
files() { git -c safe.directory='*' ls-files "$@" | grep -vE '^(www/vendor|LICENSES)/'; }

none() { # sentence, text: true when there is no text
	if [ -z "$2" ]; then tap_say 0 "$1"; else
		tap_say 1 "$1"
		printf '%s\n' "$2" | head -n 20 | sed 's/^/# /'
	fi
}

# Names of files whose first three lines do not say LICENCE.
unlicensed() {
	xargs -r awk -v want="SPDX-License-Identifier:.*$1" 'function end() { if (f && !ok) print f }
		FNR == 1 { end(); f = FILENAME; ok = 0 } FNR <= 3 && $0 ~ want { ok = 1 } FNR > 3 { nextfile } END { end() }'
}
none 'each source says its licence in its first lines' "$(files '*.c' '*.h' '*.sh' '*.sql' '*.mk' '*.css' '*.js' '*.mjs' '*.py' |
	grep -v golden | unlicensed .)"
none 'what lies under kernel/ is GPL, the rest Apache' "$(
	files 'kernel/tree/*.[ch]' 'kernel/tree/*.sh' | unlicensed GPL-2.0
	files 'kernel/*.c' 'kernel/*.h' 'kernel/*.sh' | grep -v ^kernel/tree | unlicensed '(GPL-2.0|Apache-2.0)'
	files '*.c' '*.h' '*.sh' | grep -v ^kernel/ | unlicensed Apache-2.0)"
none 'no function body over 80 lines, no file over 800' "$(
	files '*.c' '*.h' '*.js' '*.mjs' '*.sql' | grep -v golden | xargs -r awk '
		function end() { if (n > 800) print f " " n " lines" }
		FNR == 1 { end(); f = FILENAME; s = 0 } { n = FNR } /^\{/ { s = FNR }
		/^\}/ && s { if (FNR - s > 80) print f ":" s " " FNR - s " lines"; s = 0 } END { end() }')"
if command -v shellcheck >/dev/null; then
	none 'shellcheck finds nothing' "$(files '*.sh' .ci/run tests/guest/run tests/bench/run | xargs -r shellcheck -S warning -x -e SC1090,SC1091,SC2034,SC2154 -f gcc 2>&1)"
else
	echo "ok $((++TAP_N)) - shellcheck # SKIP not installed"
fi
if command -v mandoc >/dev/null; then
	none 'the man pages are clean' "$(files '*.8' '*.1' '*.5' | xargs -r mandoc -Tlint -W warning 2>&1)"
else
	echo "ok $((++TAP_N)) - man pages # SKIP no mandoc"
fi
none 'numbers of decisions, migrations and patches are unique' "$(
	for d in docs/adr schema/migrations kernel/patches; do files "$d" | sed 's|.*/||' | grep -oE '^[0-9]{4}' | sort | uniq -d | sed "s|^|$d/|"; done)"
none 'the series lists each patch, once' "$(diff <(grep -v '^#' kernel/series | sort) <(files kernel/patches | sed 's|.*/||' | sort))"
none 'nobody else'"'"'s server is named in a page' "$(files www | grep -E '\.(html|css|js)$' | xargs -r grep -nE '(src|href|url\()[=("'"'"' ]*https?://' )"
none 'no work left in the text' "$(files '*.c' '*.h' '*.sh' '*.sql' '*.js' '*.mk' Makefile | grep -v 'tests/lint/' | xargs grep -nE '\b(TODO|FIXME|XXX)\b')"
tap_end
