#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Classes of bandwidth as the agent makes them, on the node's kernel; the clock counts instructions, so that the rates
# are those of the queue and not of what the host is busy with.
here=$(dirname "$0")
make -s -C "$here/../.." build/guest/bin/shape || exit 1
exec "$here/run" --icount=3 --smp 1 --timeout 400 --put "$here/../../build/guest/bin/shape" -- shape
