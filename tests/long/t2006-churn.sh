#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 20,000 VEs come and go, four at a time; and 500 on the debug kernel, then 100 that are killed in a storm.
if [ "${1:-}" = debug ]; then
	exec tests/guest/run --kernel=debug --timeout 7200 -- sh -c 'churn_test 500 4 && churn_test 100 1 storm'
fi
exec tests/guest/run --timeout 7200 -- churn_test 20000 4
