#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# VEs come and go, and leave nothing; make test-long does it 20,000 times.
exec "$(dirname "$0")/run" --timeout 580 -- churn_test 400 4
