#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The root of test guests: busybox, the tiny template, the programs of tests/guest.  Needs no root.
# Usage: initramfs.sh GEN_INIT_CPIO OUTPUT PROGRAM...
set -eu
gen=$1 out=$2
shift 2
here=$(dirname "$0")/../..
work=$(mktemp -d "${TMPDIR:-/tmp}/ve-initramfs.XXXXXX")
trap 'rm -rf "$work"' EXIT

"$here/provisioning/template/tiny.sh" "$work/tiny"
mkdir -p "$work/root/bin" "$work/root/sbin" "$work/root/usr/share/ve/template" "$work/root/var/lib/ve" "$work/root/etc"
cp /bin/busybox "$work/root/bin/busybox"
for a in $(/bin/busybox --list); do
	[ "$a" = busybox ] || ln -s busybox "$work/root/bin/$a"
done
cp "$work/tiny/etc/passwd" "$work/tiny/etc/group" "$work/root/etc/"
cp "$here/tests/guest/init.sh" "$work/root/init"
chmod 755 "$work/root/init"
for p in "$@"; do
	cp "$p" "$work/root/bin/"
done
mv "$work/tiny" "$work/root/usr/share/ve/template/tiny"

# cpio by list: files with their modes, owned by root, and the device nodes that nobody may make here
list() {
	(cd "$work/root" && find . -mindepth 1 -printf '%P %y %m %l\n') | while read -r path type mode link; do
		case $type in
		d) echo "dir /$path $mode 0 0" ;;
		f) echo "file /$path $work/root/$path $mode 0 0" ;;
		l) echo "slink /$path $link 777 0 0" ;;
		esac
	done
	echo "dir /dev 755 0 0"
	echo "nod /dev/console 600 0 0 c 5 1"
	sed "s|^|/usr/share/ve/template/tiny/dev/|" "$here/provisioning/template/devices" |
		while read -r path major minor; do
			echo "nod $path 666 0 0 c $major $minor"
		done
}
list >"$work/list"
"$gen" "$work/list" | gzip -1 >"$out.tmp"
mv "$out.tmp" "$out"
