#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What gives each VE its share and tells it so, on the debug kernel: networks, bandwidth, a disk's weights, views, caps.
cd "$(dirname "$0")/../.." || exit 1
export KERNEL=debug PATIENCE=8
rc=0
for t in t2003-network t3005-shape t3010-bandwidth t3011-disk t4006-firewall t5002-views t5004-cap t5005-views; do
	echo "# $t"
	tests/guest/$t.sh || { echo "not ok - $t ends with status $?"; rc=1; }
done
exit $rc
