#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The node's own table of nft: no VE reaches the node's services at any of its addresses, and each would without it.
set -eu
cd "$(dirname "$0")/../.."
make -s build/guest/bin/firewall
work=$(mktemp -d "${TMPDIR:-/tmp}/ve-firewall.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/kit" "$work/root/usr/sbin"
cp provisioning/node/firewall "$work/root/kit/"
for p in nft ip; do
	f=$(PATH=$PATH:/usr/sbin:/sbin command -v $p) || { echo "t4006: $p is missing; apt-get install nftables iproute2" >&2; exit 2; }
	cp -L "$f" "$work/root/usr/sbin/"
	ldd "$f" | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "$work/root$(dirname "$lib")"
		cp -L "$lib" "$work/root$lib"
	done
done
tar -C "$work/root" --owner=0 --group=0 -cf "$work/kit.tar" .
tests/guest/run --smp 1 --timeout 200 --put "$work/kit.tar" --put build/guest/bin/firewall -- \
	sh -c 'tar -xf /put/kit.tar -C / && exec firewall'
