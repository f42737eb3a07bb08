#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# story.mjs with the agent on a played kernel, two portals and sshd.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/pg.sh
. tests/lib/portal.sh
. tests/lib/node.sh
. tests/lib/chromium.sh
trap portal_cleanup EXIT
portal_setup && node_start && jobd_start 1 && portal_start 1 && portal_start 2 && sshd_start || exit 1
password=$("$BIN/ve-portald" -o op@example.net -d "$PG_URL")
FAKE=1 node tests/www/story.mjs "$URL1" op@example.net "$password" "$SSH_PORT" "${SHOTS:-build/shots}" "$URL2"
