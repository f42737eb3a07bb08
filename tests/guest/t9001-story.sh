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
TEMPLATE=${TEMPLATE:-debian} node tests/www/story.mjs "https://localhost:$PORT" operator@localhost.localdomain "$password" \
	"$SSH_PORT" build/shots "https://localhost:$((PORT + 1))" | tee build/story.tap | grep -v '^1\.\.'
rc=${PIPESTATUS[0]}
n=$(grep -cE '^(not )?ok ' build/story.tap)

# Pull down, put up again: the VE is the same and so are its files.
db() { PGPASSWORD=$(cat "$RUN/secret/db-postgres") psql -qXAt -h "$sock" -U postgres -d vestibule -c "$1"; }
sock=$RUN/sock
[ ${#sock} -le 80 ] || sock=${TMPDIR:-/tmp}/ve-$(printf '%s' "$RUN" | sha256sum | cut -c1-12)
before=$(db 'select string_agg(email, $$ $$ order by id) from ve.subscriber')
provisioning/demo.sh stop >>build/story.log 2>&1 && provisioning/demo.sh run >>build/story.log 2>&1
again=$?
n=$((n + 1))
if [ $again = 0 ] && [ "$(db 'select string_agg(email, $$ $$ order by id) from ve.subscriber')" = "$before" ]; then
	echo "ok $n - after stop and run the accounts are still there"
else
	echo "not ok $n - after stop and run the accounts are still there"
	rc=1
	tail -n 20 build/story.log | sed 's/^/# /'
fi
echo "1..$n"
exit "$rc"
