#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each of 80 VEs that flood gets its bandwidth, both ways; idle ones lend it and cost nothing.  By a clock that counts instructions.
here=$(dirname "$0")
make -s -C "$here/../.." build/guest/bin/bench_bandwidth || exit 1
exec "$here/run" --icount=2 --smp 1 --mem 2048 --timeout 400 --put "$here/../../build/guest/bin/bench_bandwidth" -- sh -c '
	ip link set dummy0 up &&
	ip addr add 198.51.100.254/24 dev dummy0 &&
	ip addr add 10.78.0.1/16 dev venet0 &&
	bench_bandwidth --check 80'
