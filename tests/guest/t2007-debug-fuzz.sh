#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two minutes of VE calls with nearly right arguments and failing allocations (debug kernel); make test-long: an hour.
exec "$(dirname "$0")/run" --kernel=debug --timeout 500 -- fuzz_test "${SECONDS_LONG:-120}" "${SEED:-20001121}"
