#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a victim feels of hostile neighbours: echo latency to a process of its VE, idle and with one kind of bomb in ten
# other VEs with the limits of a small plan, on one CPU whose clock counts instructions (8 ns each), so that the host's load
# does not show.  Private trees lie on a disk in the guest's memory: what the host's does would be time to that clock.
# That the node itself never ran out of memory is asked of its log.
set -eu
cd "$(dirname "$0")/../.."
samples=${SAMPLES:-200}
kinds='fork thread fd socket memory dirty dentry inotify pty flock siginfo packet cpu disk'
work=$(mktemp -d "${TMPDIR:-/tmp}/ve-neighbour.XXXXXX")
trap 'rm -rf "$work"' EXIT
truncate -s 1G "$work/private.img"
mke2fs -q -t ext4 "$work/private.img"
gzip -1 "$work/private.img"
for subject in idle $kinds; do
	echo "echo icount $subject us want"
	echo "memory_left icount $subject MiB want"
	[ $subject = idle ] || echo "memory_lost icount $subject KiB want"
done
# An overlay's layers and its upper directory are of one kind here: the template stays where it is
tests/guest/run --icount=3 --smp 1 --mem 4096 --timeout 1800 --put "$work/private.img.gz" --put build/guest/bin/bench_neighbour -- sh -c "
	mount -t tmpfs -o size=1200m tmpfs /mnt && gunzip -c /put/private.img.gz >/mnt/private.img && losetup /dev/loop0 /mnt/private.img &&
	umount /var/lib/ve/private && mount -t ext4 /dev/loop0 /var/lib/ve/private &&
	ip addr add 10.78.0.1/24 dev venet0 &&
	bench_neighbour $samples && ! dmesg | grep -E 'constraint=CONSTRAINT_(NONE|CPUSET|MEMORY_POLICY)' >&2" </dev/null
