# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# For tests of what is installed: run anew in a mount namespace where /etc, /usr and /var are covered, so that nothing of
# this machine changes.
skip() { echo "1..0 # SKIP $1"; exit 0; }
[ "$(id -u)" = 0 ] || skip 'needs root'
if [ -z "${COVERED:-}" ]; then
  unshare -m true 2>/dev/null || skip 'needs mount namespaces'
  COVERED=$(mktemp -d "${TMPDIR:-/tmp}/ve-cover.XXXXXX") && export COVERED BUILD=${BUILD:-build/rel}
  # the upper sides are in memory: overlayfs does not stack on every file system
  unshare -m sh -c 'mount -t tmpfs none "$COVERED" && for d in etc usr var; do
      mkdir -p "$COVERED/$d/up" "$COVERED/$d/work" &&
      mount -t overlay overlay -o "lowerdir=/$d,upperdir=$COVERED/$d/up,workdir=$COVERED/$d/work" "/$d" || exit 77
    done; exec "$0"' "$0"
  rc=$?
  rmdir "$COVERED"
  [ $rc != 77 ] || skip 'needs overlayfs'
  exit $rc
fi
