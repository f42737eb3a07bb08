#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What passes between VEs and the node, in a guest; its brake is held against a clock that counts instructions.
exec "$(dirname "$0")/run" --icount=3 --smp 1 --timeout 400 -- net_test
