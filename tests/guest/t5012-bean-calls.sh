#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# User Beancounters: the calls, the events, the file.
exec "$(dirname "$0")/run" --timeout 400 --mem 1024 -- ub_call_test
