#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each named place of the agent, on the real kernel: see tests/guest/t3008.
SETTINGS=SWEEP=all GUEST_TIMEOUT=3600 exec tests/guest/t3008-failpoints.sh
