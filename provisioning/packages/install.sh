#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install the packages of the lists named (build run test), if any is missing.  Asks for root only then.
set -eu
here=$(dirname "$0")
want=$(for list; do grep -v '^#' "$here/$list.txt"; done)
missing=''
for p in $want; do
	dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || missing="$missing $p"
done
# A node of another vendor brings its own npm
! command -v npm >/dev/null 2>&1 || missing=$(printf '%s' "$missing" | sed 's/ npm\b//; s/ nodejs\b//')
[ -n "$missing" ] || exit 0
echo "installing:$missing"
sudo=''
[ "$(id -u)" = 0 ] || sudo=sudo
# No service starts by itself on a machine that only builds and tests.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
	$sudo chmod 755 $policy
	trap '$sudo rm -f $policy' EXIT
fi
$sudo apt-get update -q || echo 'apt-get update had errors; going on with what is known'
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
