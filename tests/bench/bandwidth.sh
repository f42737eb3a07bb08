#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How exactly VES (200) that all flood by UDP get the bandwidth that each is given, to them and from them, also when a quarter
# of them borrows all that there is; and what VEs cost that do nothing.  The guest's clock counts instructions (4 ns each), so
# that the host's load does not show.
set -eu
cd "$(dirname "$0")/../.."
for metric in off_rate_to_ves off_rate_from_ves off_ceiling_to_ves off_ceiling_from_ves off_rate_after; do
	echo "$metric icount vestibule percent want"
done
echo "work_of_nobody icount no_ves ms_per_s want"
echo "work_of_nobody icount idle_ves ms_per_s want"
echo "work_of_20 icount alone ms_per_s want"
echo "work_of_20 icount beside_idle_ves ms_per_s want"
tests/guest/run --icount=2 --smp 1 --mem 2048 --timeout 1800 --put build/guest/bin/bench_bandwidth -- sh -c "
	ip link set dummy0 up &&
	ip addr add 198.51.100.254/24 dev dummy0 &&
	ip addr add 10.78.0.1/16 dev venet0 &&
	bench_bandwidth ${VES:-200}" </dev/null
