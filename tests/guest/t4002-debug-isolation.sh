#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The same on the debug kernel: KASAN, lockdep and kmemleak have nothing to say, and what only it can play
# (an exploit that has already become root) is refused.
exec "$(dirname "$0")/t4001-isolation.sh" debug
