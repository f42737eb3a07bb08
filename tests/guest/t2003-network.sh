#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What passes between VEs and the node, in a guest.
exec "$(dirname "$0")/run" --timeout 180 -- net_test
