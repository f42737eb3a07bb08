#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The agent's walks through a private tree, 100,000 times against a storm of renames.
cd "$(dirname "$0")/../.." && make -s "${BUILD:-build/rel}/bin/test_tree" && ROUNDS=100000 CMOCKA_MESSAGE_OUTPUT=TAP exec "${BUILD:-build/rel}/bin/test_tree"
