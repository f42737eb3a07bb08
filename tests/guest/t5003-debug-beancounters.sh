#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The beancounters on the debug kernel: no leak, no lock out of order, nothing used after its end.
exec "$(dirname "$0")/run" --kernel=debug --mem 1536 --timeout 840 -- ub_test
