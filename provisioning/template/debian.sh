#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What turns a plain Debian 12 tree (mmdebstrap minbase with sysvinit) into the template "debian".
# Usage: debian.sh DIRECTORY
set -eu
dir=$1

# names and resolvers of the machine that made it are nothing to a VE
rm -rf "$dir"/var/cache/apt/*.bin "$dir"/var/lib/apt/lists/* "$dir"/var/log/*.log "$dir/etc/hostname" "$dir/etc/resolv.conf"
rm -f "$dir"/dev/* 2>/dev/null || true
mkdir -p "$dir/dev/pts" "$dir/dev/shm" "$dir/proc" "$dir/sys" "$dir/run"
ln -sf pts/ptmx "$dir/dev/ptmx"
ln -sf /proc/self/fd "$dir/dev/fd"
ln -sf /proc/self/fd/0 "$dir/dev/stdin"
ln -sf /proc/self/fd/1 "$dir/dev/stdout"
ln -sf /proc/self/fd/2 "$dir/dev/stderr"

# No console, no getty: whoever comes gets a terminal from the node.
cat >"$dir/etc/inittab" <<'T'
id:2:initdefault:
si::sysinit:/etc/ve/rc.sysinit
l0:0:wait:/etc/ve/rc.halt
l6:6:wait:/etc/ve/rc.halt
l2:2:wait:/etc/init.d/rc 2
pf::powerwait:/sbin/shutdown -h now
ca::ctrlaltdel:/sbin/shutdown -h now
T
mkdir -p "$dir/etc/ve"
cp "$(dirname "$0")/names" "$dir/etc/ve/names"
cat >"$dir/etc/ve/rc.sysinit" <<'T'
#!/bin/sh
# What a Virtual Environment needs at its start: /proc, /dev/pts and /run are there already.
mount -t tmpfs -o mode=1777,nosuid,nodev,size=64m tmpfs /dev/shm
mkdir -p /run/lock
: >/run/utmp
/etc/ve/names
T
cat >"$dir/etc/ve/rc.halt" <<'T'
#!/bin/sh
case $RUNLEVEL in
6) exec /sbin/reboot -f -d ;;
*) exec /sbin/halt -f -p -d ;;
esac
T
chmod 755 "$dir/etc/ve/rc.sysinit" "$dir/etc/ve/rc.halt"
rm -f "$dir"/etc/rc?.d/* "$dir"/etc/rcS.d/* 2>/dev/null || true
cat >"$dir/root/.bashrc" <<'T'
PS1='\u@\h:\w\$ '
alias ls='ls --color=auto'
T
cp "$dir/root/.bashrc" "$dir/root/.profile"
