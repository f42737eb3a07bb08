#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The kernel's own tool for an initramfs with device nodes that needs no root.  Usage: gen_init_cpio.sh OUTPUT
set -eu
tarball=${KERNEL_TARBALL:-/usr/src/linux-source-6.12.tar.xz}
mkdir -p "$(dirname "$1")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -x -f "$tarball" -C "$work" --wildcards --strip-components=2 '*/usr/gen_init_cpio.c'
${CC:-gcc} -O2 -o "$1" "$work/gen_init_cpio.c"
