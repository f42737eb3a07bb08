#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The names that surface.c prints, from the headers of the C library's kernel.
echo 'static const char *const capability_names[] = {'
echo '#include <linux/capability.h>' | gcc -E -dM - | sed -n 's/^#define CAP_\([A-Z_]*\) \([0-9]*\)$/	[\2] = "\1",/p' | sort -V
echo '};'
echo 'static const struct { int nr; const char *name; } call_names[] = {'
echo '#include <asm/unistd.h>' | gcc -E -dM - | sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$/	{ \2, "\1" },/p' | sort -t'{' -k2n
echo '};'
