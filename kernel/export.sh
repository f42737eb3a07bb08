#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Write the series for reviewers: each patch with the new files of its band, as git format-patch would
# print it, into build/export.  Never edited by hand.  Usage: kernel/export.sh
set -eu
cd "$(dirname "$0")/.."
out=$PWD/build/export
rm -rf "$out"
mkdir -p "$out"

# Which new files come with which patch; what two name comes with the first of them.
files_for() {
	case $1 in
	0210*) (cd kernel/tree && find include -type f) ;;
	0250*) (cd kernel/tree && echo fs/ve.c && find kernel/ve -type f -not -path '*/ub/*') ;;
	0320*) echo fs/proc/ve_view.c ;;
	0350*) echo fs/proc/ve_stat.c ;;
	0410*) (cd kernel/tree && find drivers/net/venet -type f) ;;
	0510*) (cd kernel/tree && find security/ve -type f) ;;
	0810*) (cd kernel/tree && find kernel/ve/ub -type f) ;;
	9000*) (cd kernel/tree && find Documentation tools -type f) ;;
	esac
}

new_file() { # path: a diff that creates it
	diff -u --label /dev/null --label "b/$1" /dev/null "kernel/tree/$1" || [ $? = 1 ]
}

done_list=$out/.done
: >"$done_list"
total=$(($(grep -cv '^#' kernel/series) + 1))
n=0
emit() { # number, patch or nothing, subject
	n=$((n + 1))
	name=$(printf '%04d-%s.patch' "$n" "$(echo "$3" | tr 'A-Z' 'a-z' | sed 's/[^a-z0-9]\+/-/g; s/-$//')")
	{
		printf 'From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\n'
		printf 'From: Vestibule <kernel@vestibule.invalid>\nDate: Thu, 1 Jan 1970 00:00:00 +0000\n'
		printf 'Subject: [PATCH %d/%d] %s\n\n' "$n" "$total" "$3"
		[ -z "$2" ] || sed '1,2d; /^---$/,$d' "$2"
		printf -- '---\n'
		[ -z "$2" ] || sed '1,/^---$/d' "$2"
		for f in $(files_for "$1" | LC_ALL=C sort); do
			grep -qxF "$f" "$done_list" && continue
			echo "$f" >>"$done_list"
			printf 'diff --git a/%s b/%s\nnew file mode 100644\n' "$f" "$f"
			new_file "$f"
		done
		printf -- '-- \n%s\n\n' "$(cut -d' ' -f2 kernel/BASE)"
	} >"$out/$name"
}
while read -r p; do
	case $p in '#'* | '') continue ;; esac
	emit "$p" "kernel/patches/$p" "$(sed -n '1s/^Subject: //p' "kernel/patches/$p")"
done <kernel/series
emit 9000 '' 've: documentation and tests'
left=$(cd kernel/tree && find . -type f -printf '%P\n' | LC_ALL=C sort | grep -vxFf "$done_list" || true)
[ -z "$left" ] || { printf 'export: no patch brings these; files_for says which does:\n%s\n' "$left" >&2; exit 1; }
rm "$done_list"
printf '%d patches in %s\n' "$n" build/export
