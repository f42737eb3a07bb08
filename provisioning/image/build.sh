#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The node's root image, without a loop device and without being root:
#
#   packages/node.txt   --mmdebstrap--> node.tar   --.
#   packages/debian.txt --mmdebstrap--> debian.tar --+--> tree --mke2fs -d--> node.img --debugfs--> devices
#   template/tiny.sh    ----------------------------'
#
# The tars are kept by the hash of their package list and the week, so that security updates come in.
# Usage: build.sh OUTPUT.img
set -eu
shopt -s inherit_errexit
PATH=$PATH:/usr/sbin:/sbin # an ordinary user's has it not: mke2fs, debugfs
here=$(cd "$(dirname "$0")/.." && pwd)
out=$(realpath -m "$1")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vestibule/image
mkdir -p "$cache" "$(dirname "$out")"

pack() { # list -> path of the tar
	local list=$here/packages/$1.txt key tar
	key=$({ cat "$list"; date +%G-%V; } | sha256sum | cut -c1-12)
	tar=$cache/$1-$key.tar
	if [ ! -f "$tar" ]; then
		echo "image: fetching the packages of $1" >&2
		mmdebstrap --quiet --variant=minbase --include="$(grep -v '^#' "$list" | tr -s ' \n' ',,' | sed 's/,$//')" \
			--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
			--dpkgopt='path-exclude=/usr/share/doc/*' --aptopt='Acquire::Retries "3"' \
			--dpkgopt=force-unsafe-io --format=tar bookworm "$tar.tmp" >&2
		mv "$tar.tmp" "$tar"
	fi
	echo "$tar"
}
pack node >/dev/null & # both at once: each waits for its downloads
node_pid=$!
debian_tar=$(pack debian)
wait $node_pid
node_tar=$(pack node)

work=$(mktemp -d "$cache/work.XXXXXX")
trap 'rm -rf "$work" 2>/dev/null || unshare --map-auto --map-root-user rm -rf "$work"' EXIT
assemble() { # runs as root, or as root of a user namespace
	set -eu
	work=$1 here=$2 node_tar=$3 debian_tar=$4
	root=$work/root
	mkdir -p "$root"
	tar -x -f "$node_tar" -C "$root" --exclude='./dev/*' --numeric-owner
	for t in tiny debian; do mkdir -p "$root/usr/share/ve/template/$t"; done
	tar -x -f "$debian_tar" -C "$root/usr/share/ve/template/debian" --exclude='./dev/*' --numeric-owner
	"$here/template/debian.sh" "$root/usr/share/ve/template/debian"
	"$here/template/tiny.sh" "$root/usr/share/ve/template/tiny"
	cp -r "$here/image/node/." "$root/"
	chmod 755 "$root"/usr/lib/vestibule/*
	mkdir -p "$root/etc/systemd/system/multi-user.target.wants" "$root/var/lib/ve/private" "$root/var/lib/ve-agentd"
	for u in ve-node-setup ve-node-control; do
		ln -sf "/usr/lib/systemd/system/$u.service" "$root/etc/systemd/system/multi-user.target.wants/"
	done
	ln -sf /usr/lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
	for u in getty.target systemd-logind.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
		e2scrub_all.timer fstrim.timer systemd-update-utmp.service systemd-journal-flush.service \
		systemd-resolved.service systemd-timesyncd.service systemd-networkd.service nftables.service \
		systemd-pcrphase.service systemd-pcrphase-sysinit.service dev-hugepages.mount \
		sys-kernel-debug.mount sys-kernel-tracing.mount systemd-random-seed.service; do
		ln -sf /dev/null "$root/etc/systemd/system/$u"
	done
	echo node >"$root/etc/hostname"
	: >"$root/etc/machine-id"
	for t in tiny debian; do
		"$here/template/digest.sh" "$root/usr/share/ve/template/$t" >"$root/usr/share/ve/template/$t.digest"
	done
	size=$(du -sm "$root" | cut -f1)
	rm -f "$work/node.img"
	mke2fs -q -t ext4 -L ve-node -E lazy_itable_init=1 -d "$root" "$work/node.img" "$((size * 5 / 4 + 96))M"
}
echo "image: assembling" >&2
if [ "$(id -u)" = 0 ]; then
	assemble "$work" "$here" "$node_tar" "$debian_tar"
else
	unshare --map-auto --map-root-user bash -c "$(declare -f assemble); assemble \"\$@\"" _ "$work" "$here" "$node_tar" "$debian_tar"
fi
# Device nodes cannot be made without being root, but they can be written into the file system.
{
	for t in tiny debian; do
		while read -r name major minor; do
			echo "cd /usr/share/ve/template/$t/dev"
			echo "mknod $name c $major $minor"
			echo "set_inode_field $name mode 020666"
		done <"$here/template/devices"
	done
	echo "cd /dev"
	echo "mknod console c 5 1"
	echo "mknod null c 1 3"
} >"$work/devices"
debugfs -w -f "$work/devices" "$work/node.img" >"$work/debugfs.log" 2>&1
grep -iE 'error|fail|not' "$work/debugfs.log" >&2 && { echo "image: debugfs failed" >&2; exit 1; }
mv "$work/node.img" "$out"
echo "image: $out, $(du -m "$out" | cut -f1) MB" >&2
