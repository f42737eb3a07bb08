#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a VE is told about itself is what docs/views.md says; --write makes it so.
set -eu
cd "$(dirname "$0")/../.."
make -s build/guest/bin/views
got=build/guest/views.md
truncate -s 256M "$got.disk"
PATH=$PATH:/usr/sbin mke2fs -q -F -t ext4 "$got.disk"
tests/guest/run --icount=3 --smp 1 --mem 1024 --timeout 300 --disk "$got.disk" --put build/guest/bin/views -- sh -c '
	echo 64M >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null && swapon /dev/zram0 &&
	umount /var/lib/ve/private && mount -t ext4 /dev/vda /var/lib/ve/private && views 2>/tmp/why || cat /tmp/why' >"$got"
rm -f "$got.disk"
if [ "${1:-}" = --write ]; then
	cp "$got" docs/views.md
	exit
fi
if diff -u docs/views.md "$got" >"$got.diff"; then
	echo "ok 1 - the views are those in docs/views.md"
else
	sed 's/^/# /' "$got.diff" | head -n 100
	echo "not ok 1 - the views are others than in docs/views.md: look at them, then make views"
fi
if grep -q 'NOT SO\|NOBODY HAS LOOKED' "$got"; then
	echo "not ok 2 - and each field is as the table says"
else
	echo "ok 2 - and each field is as the table says"
fi
echo 1..2
