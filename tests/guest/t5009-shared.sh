#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What packets and routes bring about is the VE's, and nothing of the machine is one VE's to take.
exec "$(dirname "$0")/run" --timeout 400 -- shared_test
