#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each documented error of the VE calls, in a guest.
exec "$(dirname "$0")/run" --timeout 180 -- errno_test
