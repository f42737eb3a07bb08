#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
exec tests/long/t2006-churn.sh debug
