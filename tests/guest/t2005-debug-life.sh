#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The life of a VE on the debug kernel: KASAN, lockdep and kmemleak have nothing to say.
exec "$(dirname "$0")/run" --kernel=debug --timeout 400 -- life_test
