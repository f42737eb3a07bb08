#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The calls of the beancounters on the debug kernel.
exec "$(dirname "$0")/run" --kernel=debug --mem 1536 --timeout 840 -- ub_call_test
