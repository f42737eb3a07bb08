# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# What most API tests begin with: a cluster, a node with the played kernel, a job daemon and a portal; all end
# with the test.
. tests/lib/tap.sh
. tests/lib/pg.sh
. tests/lib/portal.sh
. tests/lib/node.sh
trap portal_cleanup EXIT
portal_setup && node_start && jobd_start 1 && portal_start 1 || exit 1
