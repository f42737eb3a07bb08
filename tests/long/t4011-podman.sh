#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Nested containers: rootless podman imports an image and runs it inside a VE that has the features for it; without
# them it gets no user namespace.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib/tap.sh
. tests/lib/debian.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/ve-podman.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo '# fetching podman'
debian_image "$work/podman.img" 800M podman,crun,uidmap,fuse-overlayfs,slirp4netns,sysvinit-core,busybox-static

cat >"$work/inside" <<'T'
# As root of the VE: a user with numbers to give away, what podman expects to be mounted, an image of one program
echo 'user:x:1000:1000::/home/user:/bin/sh' >>/etc/passwd
echo 'user:x:1000:' >>/etc/group
echo user:10000:50000 | tee /etc/subuid >/etc/subgid
mkdir -p /home/user/.config/containers /tmp/image/bin /run/user/1000
printf '[containers]\nkeyring=false\n' >/home/user/.config/containers/containers.conf # a VE has no keyrings
chown -R 1000:1000 /home/user /run/user/1000
chmod 1777 /tmp
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount --make-rshared /
mkdir -p /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup
cp /bin/busybox /tmp/image/bin/
cat >/tmp/user <<'U'
cd
export XDG_RUNTIME_DIR=/run/user/1000
pod() { podman --storage-driver=vfs --cgroup-manager=cgroupfs --events-backend=file "$@"; }
unshare --user echo 'in a user namespace'
tar -C /tmp/image -c . | pod import -q - tiny || exit 1
pod run --rm --network=none --cgroups=disabled tiny /bin/busybox sh -c \
	'echo "in a container: $(/bin/busybox id -u), $(/bin/busybox awk "{ print \$2 }" /proc/self/uid_map | /bin/busybox tr "\n" " ")"'
U
exec setpriv --reuid 1000 --regid 1000 --init-groups env -i HOME=/home/user PATH=/usr/sbin:/usr/bin:/sbin:/bin USER=user sh /tmp/user
T
guest() { # features
	printf 'mkdir -p /run/podman && mount -t ext4 -o ro /dev/vda /run/podman && verun --template /run/podman %s --put /put/inside /bin/sh /root/inside\n' \
		"${1:+--features $1}" >"$work/node"
	tests/guest/run --mem 2048 --timeout 900 --disk "$work/podman.img:ro" --put "$work/node" --put "$work/inside" -- sh /put/node 2>&1
}
said=$(guest nesting,fuse,net_sysctl) || :
echo "${said//$'\n'/$'\n'# }" | sed '1s/^/# /'
like 'a VE with the features makes a user namespace' "$said" 'in a user namespace'
like 'rootless podman runs an image in a VE with the features' "$said" 'in a container: 0, 1000 10000'
said=$(guest '') || :
like 'without them it makes none' "$said" 'unshare: unshare failed: Operation not permitted'
unlike 'and runs nothing' "$said" 'in a container'
tap_end
