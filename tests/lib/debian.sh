# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# debian_image IMAGE SIZE PACKAGE,... [option of mmdebstrap]...: an ext4 image of a Debian with these packages and the
# devices of a template, made in the directory $work.
debian_image() {
	_image=$1 _size=$2 _packages=$3
	shift 3
	mmdebstrap --quiet --variant=minbase --include="$_packages" "$@" --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt=force-unsafe-io --format=tar bookworm "$work/debian.tar" || return
	mkdir "$work/root"
	tar -C "$work/root" --exclude='./dev/*' -xf "$work/debian.tar"
	while read -r name major minor; do mknod -m 666 "$work/root/dev/$name" c "$major" "$minor"; done <provisioning/template/devices
	mkdir -p "$work/root/dev/pts" "$work/root/dev/shm"
	ln -sf pts/ptmx "$work/root/dev/ptmx"
	ln -sf /proc/self/fd "$work/root/dev/fd"
	mke2fs -q -t ext4 -d "$work/root" "$_image" "$_size"
	rm -rf "$work/root" "$work/debian.tar"
}
