#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What two may do at once: race.c on a cluster of its own.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib/pg.sh
trap pg_stop EXIT
pg_start
pg_sql "select ve.node_install('n1', 'https://127.0.0.1:7443', repeat('ab', 32), 1);
        select ve.node_install('n2', 'https://127.0.0.1:7444', repeat('cd', 32), 0);
        select ve.node_fact('n1', '{}'); select ve.pool_install('10.77.0.0/28', 28)" >/dev/null
"${BUILD:-build/rel}/bin/race" "$PG_URL"
