#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Debian packages from what make installs: vestibule-node, vestibule-portal, and vestibule-kernel when a kernel
# is built.  They go to build/deb.
#
#   deb.sh node|portal|kernel...
set -eu
shopt -s inherit_errexit
cd "$(dirname "$0")/.."
out=$PWD/build/deb
git_() { git -c safe.directory='*' "$@"; }
version=0.1+git$(git_ rev-list --count HEAD 2>/dev/null || echo 0)
export SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH=$(git_ log -1 --format=%ct 2>/dev/null || date +%s)

libraries() { # root: Depends of the programs in it
	mkdir -p "$out/tmp/debian"
	printf 'Source: vestibule\n\nPackage: vestibule\nArchitecture: any\n' >"$out/tmp/debian/control"
	(cd "$out/tmp" && find "$1" -type f -perm -u+x -exec sh -c 'head -c 4 "$1" | grep -q ELF' _ {} \; -print0 |
		xargs -0r dpkg-shlibdeps -O --warnings=0 2>/dev/null | sed 's/^shlibs:Depends=//')
}

papers() { # root, package: licence and changelog where Debian looks for them
	local doc=$1/usr/share/doc/$2
	mkdir -p "$doc"
	{
		echo 'Vestibule is under the Apache License 2.0 (/usr/share/common-licenses/Apache-2.0),'
		echo 'its kernel under the GNU General Public License 2 (/usr/share/common-licenses/GPL-2).'
		echo
		echo 'Copyright: the authors of Vestibule'
	} >"$doc/copyright"
	printf '%s (%s) stable; urgency=medium\n\n  * Built from its source.\n\n -- Vestibule <root@localhost>  %s\n' \
		"$2" "$version" "$(date -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$doc/changelog.gz"
	[ ! -d "$1/usr/share/man" ] || find "$1/usr/share/man" -type f ! -name '*.gz' -exec gzip -9n {} +
}

script() { # root, name: a maintainer's script from standard input
	{ printf '#!/bin/sh\nset -e\n'; cat; } >"$1/DEBIAN/$2"
	chmod 755 "$1/DEBIAN/$2"
}

pack() { # root, package, summary, more of Depends, Recommends
	local root=$1 depends
	depends=$(libraries "$root")
	papers "$root" "$2"
	cat >"$root/DEBIAN/control" <<-T
		Package: $2
		Version: $version
		Architecture: $(dpkg --print-architecture)
		Maintainer: Vestibule <root@localhost>
		Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
		Depends: $depends${depends:+${4:+, }}$4
		Recommends: ${5:-}
		Section: admin
		Priority: optional
		Description: $3
		 Part of Vestibule, a hosting provider's front door to Virtual Environments.
	T
	sed -i '/^\(Depends\|Recommends\): $/d' "$root/DEBIAN/control"
	(cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
	find "$root" -type d -exec chmod 755 {} +
	dpkg-deb --root-owner-group -Zxz --build "$root" "$out/$2_${version}_$(dpkg --print-architecture).deb" >/dev/null
	echo "$out/$2_${version}_$(dpkg --print-architecture).deb"
}

fresh() { # name
	rm -rf "$out/tmp/$1"
	mkdir -p "$out/tmp/$1/DEBIAN"
	echo "$out/tmp/$1"
}

half() { # node|portal, summary, more of Depends, Recommends
	local root units after
	root=$(fresh "$1")
	make -s "install-$1" DESTDIR="$root"
	find "$root" -type f -perm -u+x -exec sh -c 'head -c 4 "$1" | grep -q ELF' _ {} \; -exec strip --strip-unneeded {} +
	case $1 in
	node) units='ve-agentd ve-node ve-halt' after='systemctl try-restart ve-agentd || :' ;;
	portal)
		units='ve-portald ve-gateway ve-jobd ve-signer'
		after="[ -z \"\$2\" ] || echo 'next: ve-setup, and then systemctl restart ve-signer ve-jobd ve-portald ve-gateway'"
		;;
	esac
	script "$root" postinst <<-T
		[ "\$1" = configure ] || exit 0
		systemd-sysusers vestibule-$1.conf || :
		[ -d /run/systemd/system ] || exit 0
		systemctl daemon-reload
		$after
	T
	script "$root" prerm <<-T
		[ "\$1" = remove ] && [ -d /run/systemd/system ] || exit 0
		systemctl disable --now $units || :
	T
	script "$root" postrm <<-'T'
		[ ! -d /run/systemd/system ] || systemctl daemon-reload
	T
	pack "$root" "vestibule-$1" "$2" "$3" "${4:-}"
}

kernel() {
	local image=build/kernel/prod/bzImage root release at
	[ -f "$image" ] || { echo "deb.sh: no $image (make kernel)" >&2; return 1; }
	at=$((0x200 + $(od -An -tu2 -j $((0x20e)) -N2 "$image")))
	release=$(tail -c +$((at + 1)) "$image" | head -c 64 | tr '\0' '\n' | sed -n '1s/ .*//p')
	root=$(fresh kernel)
	install -D -m 644 "$image" "$root/boot/vmlinuz-$release"
	install -m 644 "${image%/*}/.config" "$root/boot/config-$release" # initramfs-tools and grub read it
	script "$root" postinst <<-T
		[ ! -d /etc/kernel/postinst.d ] || DEB_MAINT_PARAMS="\$*" run-parts --arg=$release --arg=/boot/vmlinuz-$release /etc/kernel/postinst.d
	T
	script "$root" postrm <<-T
		[ ! -d /etc/kernel/postrm.d ] || DEB_MAINT_PARAMS="\$*" run-parts --arg=$release --arg=/boot/vmlinuz-$release /etc/kernel/postrm.d
	T
	pack "$root" vestibule-kernel "Linux $release with Virtual Environments" ''
}

mkdir -p "$out"
for what; do
	case $what in
	node) half node 'node agent of Vestibule' 'curl, openssl, nftables, iproute2, procps, e2fsprogs, systemd | systemd-standalone-sysusers' \
		'busybox-static, mmdebstrap, vestibule-kernel' ;;
	portal) half portal 'web portal of Vestibule' 'openssl, postgresql-client, openssh-server, openssh-client, passwd, systemd | systemd-standalone-sysusers' ;;
	kernel) kernel ;;
	*) echo 'usage: deb.sh node|portal|kernel...' >&2; exit 2 ;;
	esac
done
rm -rf "$out/tmp"
