#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# User Beancounters: each row is charged, bounded and given back.
exec "$(dirname "$0")/run" --timeout 400 --mem 1024 -- ub_test
