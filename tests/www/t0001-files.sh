#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What lies in www/: nothing of anyone else's but what vendor.lock names, no script
# or style in a page, no address of another site.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh

vendored() {
  grep -v -e '^#' -e '^@' www/vendor.lock | sha256sum --check --quiet &&
    [ "$(find www/vendor -type f | wc -l)" = "$(grep -c '  www/' www/vendor.lock)" ]
}
ok 'vendored files are those of vendor.lock, no more and no fewer' vendored
is 'vendor.lock names the tarballs' "$(grep -cE '^@[a-z/-]+ [0-9.]+ [0-9a-f]{64}$' www/vendor.lock)" 2
is 'pages have no inline script' "$(grep -rhiE '<script' www/pages www/partials | grep -cv 'src="/static/')" 0
is 'nor inline style' "$(grep -rciE '<style|style=' www/pages www/partials | grep -cv ':0$')" 0
is 'nor handlers in attributes' "$(grep -rhiE ' on[a-z]+=' www/pages www/partials | wc -l)" 0
own=$(find www/pages www/partials www/static -type f)
# shellcheck disable=SC2086
is 'nothing of ours names another site' "$(cat $own | grep -E '(https?|wss?)://' |
  grep -vcE 'www.w3.org/2000/svg|wss://\$\{location.host\}|placeholder="https://10\.')" 0
# shellcheck disable=SC2086
is 'script makes no markup' "$(cat www/static/*.js | grep -ciE 'innerHTML|outerHTML|insertAdjacent|document\.write|eval\(')" 0
ok 'term.js has at most 250 lines' test "$(wc -l <www/static/term.js)" -le 250
ok 'site.js has at most 200 lines' test "$(wc -l <www/static/site.js)" -le 200
ok 'site.css has at most 900 lines' test "$(wc -l <www/static/site.css)" -le 900
for page in www/pages/*.html; do
  text=$(cat "$page")
  name=$(basename "$page")
  like "$name has a language" "$text" '<html lang="en"'
  like "$name has a title" "$text" '<title>.+</title>'
  is "$name has one main part" "$(grep -c '<main id="main"' "$page")" 1
  ok "$name has a heading" grep -q '<h1' "$page"
  is "$name has a token (or a proof from a letter) in each form" "$(grep -o '<form[^>]*method="post"' "$page" | wc -l)" \
    "$(grep -oE 'name="(csrf|link)"' "$page" | wc -l)"
done
tap_end
