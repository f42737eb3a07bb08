#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What packets and routes bring about, on the debug kernel.
exec "$(dirname "$0")/run" --kernel=debug --mem 1536 --timeout 840 -- shared_test
