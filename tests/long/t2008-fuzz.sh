#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An hour of VE calls with nearly right arguments and failing allocations (debug kernel).
exec tests/guest/run --kernel=debug --timeout 7200 -- fuzz_test 3600
