#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The time of a disk is shared by weight.  By a clock that counts instructions, on a disk whose speed is set.
set -eu
cd "$(dirname "$0")/../.."
make -s build/guest/bin/disk
disk=$(mktemp "${TMPDIR:-/tmp}/ve-disk.XXXXXX")
trap 'rm -f "$disk"' EXIT
truncate -s 16M "$disk"
mke2fs -q -F -t ext4 "$disk"
# In the guest's memory: what the host's disk does would be time to its clock
tests/guest/run --icount=3 --smp 1 --timeout 300 --put "$disk" --put build/guest/bin/disk -- sh -c "
	umount /var/lib/ve/private && losetup /dev/loop0 /put/${disk##*/} && mount -t ext4 /dev/loop0 /var/lib/ve/private && disk"
