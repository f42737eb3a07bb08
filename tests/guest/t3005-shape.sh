#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Classes of bandwidth as the agent makes them, on the node's kernel.
here=$(dirname "$0")
make -s -C "$here/../.." build/guest/bin/shape || exit 1
exec "$here/run" --timeout 240 --put "$here/../../build/guest/bin/shape" -- shape
