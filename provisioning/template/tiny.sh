#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The template "tiny": one static busybox and what an init needs.  Usage: tiny.sh DIRECTORY
set -eu
dir=$1
busybox=${BUSYBOX:-/bin/busybox}

for d in bin sbin usr/bin usr/sbin dev/pts dev/shm proc sys run tmp root etc var/log; do
	mkdir -p "$dir/$d"
done
chmod 1777 "$dir/tmp"
chmod 700 "$dir/root"
cp "$busybox" "$dir/bin/busybox"
for applet in $("$busybox" --list-full); do
	case $applet in bin/busybox) continue ;; esac
	mkdir -p "$dir/$(dirname "$applet")"
	ln -sf /bin/busybox "$dir/$applet"
done
ln -sf pts/ptmx "$dir/dev/ptmx"
ln -sf /proc/self/fd "$dir/dev/fd"
ln -sf /proc/self/fd/0 "$dir/dev/stdin"
ln -sf /proc/self/fd/1 "$dir/dev/stdout"
ln -sf /proc/self/fd/2 "$dir/dev/stderr"
ln -sf /proc/mounts "$dir/etc/mtab"

cat >"$dir/etc/passwd" <<'T'
root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
T
cat >"$dir/etc/group" <<'T'
root:x:0:
tty:x:5:
nogroup:x:65534:
T
cat >"$dir/etc/inittab" <<'T'
::sysinit:/etc/rc
::shutdown:/bin/true
::ctrlaltdel:/sbin/poweroff
T
mkdir -p "$dir/etc/ve"
cp "$(dirname "$0")/names" "$dir/etc/ve/names"
cat >"$dir/etc/rc" <<'T'
#!/bin/sh
mount -t tmpfs -o mode=1777,nosuid,nodev,size=16m tmpfs /dev/shm
. /etc/ve/names
T
chmod 755 "$dir/etc/rc"
cat >"$dir/etc/profile" <<'T'
export PS1='\u@\h:\w# '
T
printf 'NAME="Vestibule tiny"\nID=tiny\nPRETTY_NAME="Vestibule tiny (busybox)"\n' >"$dir/etc/os-release"
