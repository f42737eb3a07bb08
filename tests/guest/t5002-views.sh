#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A VE is told of its own memory, CPUs, time and load, and kept to its CPU cap.
exec "$(dirname "$0")/run" --timeout 300 -- view_test
