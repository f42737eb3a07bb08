#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# In a guest: every isolation program, its results under one numbering.  The template lies on a disk of its own,
# so that it can be read past the page cache.
disk=/run/template.img
export ISO_TEMPLATE=/run/template
dd if=/dev/zero of=$disk bs=1048576 count=24 2>/dev/null
mke2fs -F $disk >/dev/null 2>&1
mkdir -p $ISO_TEMPLATE
losetup /dev/loop6 $disk && mount -t ext4 /dev/loop6 $ISO_TEMPLATE || exit 1
cp -a /usr/share/ve/template/tiny/. $ISO_TEMPLATE/
sync
# What an operator is told of it: few lines, whatever a VE does; flood.c does it a thousand times
told() { # words of the line, what it is about
	n=$(dmesg | grep -c "$1")
	[ "$n" -gt 0 ] && [ "$n" -lt 64 ] && echo "ok - the log tells of $2" || echo "not ok - the log tells of $2 in $n lines"
}
locked() { mount -t securityfs securityfs /sys/kernel/security && grep -qF '[integrity]' /sys/kernel/security/lockdown; }
{
	for p in /put/iso_*; do
		echo "# ${p#/put/iso_}"
		"$p" || echo "not ok - ${p#/put/} ended with $?"
	done
	[ -e /sys/kernel/debug/ve ] || { locked && echo "ok - the node's kernel is locked down" || echo "not ok - the node's kernel is locked down"; }
	told 'venet: VE 400 sent from ::ffff:10.77.0.3' "a forged address"
	told 'VE 400, iso.*: opening device' "a device that is not on the list"
	told 'VE 400, iso.*: reaching for something of VE 0' "a descriptor of a process outside"
	[ ! -e /sys/kernel/debug/ve/become_root ] || told 'VE 400, iso.*: a process has credentials from outside' "credentials from outside"
} | awk '/^1\.\./ { next }
	/^(not )?ok/ { sub(/ok [0-9]*( -)?/, "ok " ++n " -") ; if (/^not/) bad++ }
	{ print; fflush() }
	END { print "1.." n; exit bad > 0 }'
