#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each allocation of the VE calls fails once (debug kernel).
exec tests/guest/run --kernel=debug --smp 1 --timeout 7200 -- failnth_test 1
