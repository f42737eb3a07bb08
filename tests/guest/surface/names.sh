#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The names that surface.c prints: of capabilities; of system calls, by the kernel's own table (the source package's and
# what patches add to it); and those calls that include/linux/ve_syscall.h refuses a VE, with what opens them.
set -eu
tarball=${KERNEL_TARBALL:-/usr/src/linux-source-6.12.tar.xz}
table=$(tar -xOf "$tarball" --occurrence=1 linux-source-6.12/arch/x86/entry/syscalls/syscall_64.tbl)
echo 'static const char *const capability_names[] = {'
echo '#include <linux/capability.h>' | gcc -E -dM - | sed -n 's/^#define CAP_\([A-Z_]*\) \([0-9]*\)$/	[\2] = "\1",/p' | sort -V
echo '};'
echo 'static const struct { int nr; const char *name; } call_names[] = {'
{
	echo "$table"
	sed -n 's/^+\([0-9]\{1,\}[	 ].*\)/\1/p' kernel/patches/*
} | awk '$1 ~ /^[0-9]+$/ && ($2 == "common" || $2 == "64") && NF > 2 { printf "\t{ %d, \"%s\" },\n", $1, $3 }' | sort -t'{' -k2n
echo '};'
echo 'static const struct { const char *name; int error; unsigned long long unless; } refused_calls[] = {'
awk '/^[ \t]*case __NR_/ { sub(/.*__NR_/, ""); sub(/:.*/, ""); names[n++] = $0 }
	/VE_REFUSE\(E/ { sub(/.*VE_REFUSE\(/, ""); sub(/\).*/, ""); for (i = 0; i < n; i++) printf "\t{ \"%s\", %s },\n", names[i], $0; n = 0 }' \
	kernel/tree/include/linux/ve_syscall.h
echo '};'
