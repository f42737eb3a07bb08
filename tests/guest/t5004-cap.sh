#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A VE over its CPU cap holds no lock of the node while it waits.  By a clock that counts instructions.
here=$(dirname "$0")
make -s -C "$here/../.." build/guest/bin/cap || exit 1
exec "$here/run" --icount=3 --smp 1 --timeout 400 --put "$here/../../build/guest/bin/cap" -- cap
