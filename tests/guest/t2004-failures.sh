#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Allocations of the VE calls fail in turn (debug kernel); make test-long takes each, here every 23rd.
exec "$(dirname "$0")/run" --kernel=debug --smp 1 --timeout 580 -- failnth_test "${STRIDE:-23}"
