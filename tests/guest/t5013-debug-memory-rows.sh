#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What reclaim and guarantees do, on the debug kernel.
exec "$(dirname "$0")/run" --kernel=debug --mem 1536 --timeout 840 -- ub_memory_test
