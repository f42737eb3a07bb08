#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# hostile.mjs: what a shell prints attacks the browser; the VE's kernel is played.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/pg.sh
. tests/lib/portal.sh
. tests/lib/node.sh
. tests/lib/chromium.sh
trap portal_cleanup EXIT
portal_setup && node_start && jobd_start 1 && portal_start 1 || exit 1
node tests/www/hostile.mjs "$URL1" "${SHOTS:-build/shots}"
