#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The whole way, nothing played: make run's stack on ports of its own, a real browser, ssh, suspension on two
# portals, and what is still there after make stop and make run.
cd "$(dirname "$0")/../.." || exit 1
skip() { echo "1..0 # SKIP $1"; exit 0; }
[ -x /usr/bin/chromium ] || skip 'needs chromium'
command -v node >/dev/null || skip 'needs node'
[ -d build/npm/node_modules/playwright-core ] ||
	npm install --no-save --no-audit --no-fund --prefix build/npm playwright-core@1.61 >build/npm.log 2>&1 || {
	sed 's/^/# /' build/npm.log
	echo '1..1'
	echo 'not ok 1 - playwright-core is installed'
	exit 1
}
base=$((20000 + RANDOM % 9000)) # so that two runs on one machine do not meet
export RUN=$PWD/build/story PORT=$base SSH_PORT=$((base + 10)) AGENT_PORT=$((base + 20)) NODE_MEM=1024
rm -rf "$RUN"
trap 'provisioning/demo.sh stop >>build/story.log 2>&1' EXIT
provisioning/demo.sh run >build/story.log 2>&1 || {
	sed 's/^/# /' build/story.log | tail -n 30
	tail -n 20 "$RUN"/*.log "$RUN"/n1/console.log | sed 's/^/# /'
	echo '1..1'
	echo 'not ok 1 - the stack comes up'
	exit 1
}
password=$(sed -n 's/.*first password, shown this once: //p' build/story.log)
story() {
	TEMPLATE=${TEMPLATE:-debian} node tests/www/story.mjs "https://localhost:$PORT" operator@localhost.localdomain \
		"$password" "$SSH_PORT" build/shots "https://localhost:$((PORT + 1))" | grep -v '^1\.\.'
	[ "${PIPESTATUS[0]}" = 0 ]
}
STAY=1 story >build/story.tap
rc=$?
# Pull down, put up again: the account, the VE and its file are still there.
provisioning/demo.sh stop >>build/story.log 2>&1 && provisioning/demo.sh run >>build/story.log 2>&1 || {
	echo 'not ok 0 - the stack comes up again' >>build/story.tap
	tail -n 20 build/story.log | sed 's/^/# /'
}
if grep -q 'its power is cut\|does not hear' build/story.log; then
	echo 'not ok 0 - the node goes down by itself' >>build/story.tap
	rc=1
else
	echo 'ok 0 - the node goes down by itself' >>build/story.tap
fi
BACK=1 story >>build/story.tap || rc=1
awk '/^(not )?ok / { v = /^not/ ? "not ok" : "ok"; sub(/^(not )?ok [0-9]+ - /, ""); print v, ++n, "-", $0; next } { print }
	END { print "1.." n + 0 }' build/story.tap
exit "$rc"
