#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The life of a VE, in a guest.
exec "$(dirname "$0")/run" --timeout 180 -- life_test
