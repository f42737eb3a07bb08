#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The Debian packages hold what make installs, say what they need, and unpack.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
debs=$(provisioning/deb.sh node portal) || { echo "1..1"; echo "not ok 1 - the packages are built"; exit 1; }
for half in node portal; do
	deb=$(grep "vestibule-${half}_" <<<"$debs")
	make -s "install-$half" DESTDIR="$tmp/$half"
	list() { (cd "$1" && find . -type f | sed 's/\.gz$//' | grep -vE '/doc/|/DEBIAN/' | sort); }
	ok "vestibule-$half unpacks" dpkg-deb -x "$deb" "$tmp/$half-deb"
	is "vestibule-$half holds what make installs" "$(list "$tmp/$half-deb")" "$(list "$tmp/$half")"
	like "vestibule-$half says which libraries it needs" "$(dpkg-deb -f "$deb" Depends)" 'libc6 .*libssl3'
	is "nothing in vestibule-$half belongs to anybody but root" "$(dpkg-deb -c "$deb" | awk '$2 != "root/root"')" ''
	mkdir -p "$tmp/root-$half/var/lib/dpkg/"{info,updates}
	: >"$tmp/root-$half/var/lib/dpkg/status"
	if [ "$(id -u)" = 0 ]; then
		ok "vestibule-$half installs into a root of its own" dpkg --root="$tmp/root-$half" --force-depends --force-script-chrootless \
			--unpack "$deb" >/dev/null 2>&1
		ok 'whole' dpkg --root="$tmp/root-$half" --verify "vestibule-$half"
	fi
done
like 'the portal has its pages and its schema' "$(dpkg-deb -c "$(grep portal_ <<<"$debs")")" 'share/vestibule/schema/migrate.sh'
tap_end
