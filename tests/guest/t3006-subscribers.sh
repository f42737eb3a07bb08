#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two minutes of make scale: more subscribers than places, as many at a time as there are addresses.
cd "$(dirname "$0")/../.." || exit 1
command -v node >/dev/null || { echo '1..0 # SKIP needs node'; exit 0; }
exec tests/scale/subscribers --subscribers 36 --least 60 --networks 4 --seconds 120 --visitors 6 --stay 1 --leave 20 --places 12 \
	--pool 10.77.0.0/29 --block 30 --mem 1024 --stop 60
