# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# What tests in a browser need; without it they are skipped.
skip() { echo "1..0 # SKIP $1"; exit 0; }
[ -x /usr/bin/chromium ] || skip 'needs chromium'
command -v node >/dev/null || skip 'needs node'
[ -d build/npm/node_modules/playwright-core ] ||
  npm install --no-save --no-audit --no-fund --prefix build/npm playwright-core@1.61 >/dev/null 2>&1 ||
  skip 'playwright-core cannot be installed'
