#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ten power cuts, each a little later than the one before, on the same disks: see tests/guest/t3009.
exec tests/guest/t3009-power-cut.sh 10
