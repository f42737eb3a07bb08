#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every allocation of the VE calls fails once (debug kernel).
exec "$(dirname "$0")/run" --kernel=debug --smp 1 --timeout 900 -- failnth_test
