#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a VE is told about itself is what docs/views.md says; --write makes it so.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib/tap.sh
make -s build/guest/bin/views
got=build/guest/views.md
truncate -s 256M "$got.disk"
mke2fs -q -F -t ext4 -O quota,project -E quotatype=prjquota "$got.disk"
tests/guest/run --icount=3 --smp 1 --mem 1024 --timeout 300 --disk "$got.disk" --put build/guest/bin/views -- sh -c '
	# What is written waits until it is looked at
	echo 0 >/proc/sys/vm/dirty_writeback_centisecs && echo 95 >/proc/sys/vm/dirty_ratio && echo 90 >/proc/sys/vm/dirty_background_ratio &&
	echo 64M >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null && swapon /dev/zram0 &&
	umount /var/lib/ve/private && mount -t ext4 -o prjquota /dev/vda /var/lib/ve/private && views 2>/tmp/why || cat /tmp/why' >"$got"
rm -f "$got.disk"
if [ "${1:-}" = --write ]; then
	cp "$got" docs/views.md
	exit
fi
as_in 'the views are those in docs/views.md' docs/views.md "$got" views
unlike 'and each field is as the table says' "$(cat "$got")" 'NOT SO|NOBODY HAS LOOKED'
tap_end
