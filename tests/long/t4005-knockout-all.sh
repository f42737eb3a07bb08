#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The full sweep: with each guard off in turn, every isolation test.
exec "$(dirname "$0")/t4003-knockout.sh" all
