#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# PID 1 of a test guest: mounts, unpacks what the host put in, runs the command, reports its status
# out of band (no text on the console can fake it) and powers off.  The command is /put/.command.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/put HOME=/root TERM=linux
# No devices by the kernel when the root is an initramfs.
mkdir -p /proc /sys /dev /run /tmp /put /root /mnt
mount -t proc proc /proc
mount -t sysfs sysfs /sys
[ -c /dev/vda ] || mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=666,mode=620,gid=5 devpts /dev/pts
mount -t tmpfs tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs tmpfs /put
mount -t cgroup2 cgroup2 /sys/fs/cgroup
[ ! -d /sys/kernel/debug ] || mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
mkdir -p /sys/fs/cgroup/ve /var/lib/ve/private
mount -t tmpfs tmpfs /var/lib/ve/private
# An initramfs cannot be mapped to other ids, a tmpfs can.
mount -t tmpfs tmpfs /mnt
cp -a /usr/share/ve/template/. /mnt/
mount --move /mnt /usr/share/ve/template
for c in memory pids cpu; do # those that the agent uses
	echo "+$c" >/sys/fs/cgroup/cgroup.subtree_control
	echo "+$c" >/sys/fs/cgroup/ve/cgroup.subtree_control
done 2>/dev/null
hostname node
ip link set lo up
ip link set venet0 up 2>/dev/null
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding

out='' status=''
for p in /sys/class/virtio-ports/*; do
	case $(cat "$p/name" 2>/dev/null) in
	ve.out) out=/dev/${p##*/} ;;
	ve.status) status=/dev/${p##*/} ;;
	esac
done
[ -n "$out" ] && [ -n "$status" ] || { echo "init: no virtio ports"; poweroff -f; }
disk=$(ls /dev/vd? 2>/dev/null | tail -n 1)
tar -x -f "$disk" -C /put
cd /root || exit 1
# As systemd does: kernel threads share it, and nothing of it may come into a VE.
umask 0
# shellcheck disable=SC1091
(umask 022; . /put/.command) >"$out" 2>&1 </dev/null
echo "status $?" >"$status"
dmesg | grep -E 'BUG:|WARNING:|KASAN|possible (circular|recursive) locking|unreferenced object|UBSAN' >"$status"
sync
poweroff -f
sleep 60
