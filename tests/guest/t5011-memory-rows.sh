#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# User Beancounters: what reclaim and the OOM killer make of bounds and guarantees.
exec "$(dirname "$0")/run" --timeout 400 --mem 1024 -- ub_memory_test
