#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The guest runner itself: status, output, files, VE, and that what should fail fails.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
guest() { OUT=$(tests/guest/run --timeout 60 "$@"); RC=$?; }

guest -- sh -c 'grep envID /proc/self/status; exit 3'
is 'the status is the command'"'"'s' "$RC" 3
is 'the command ran on the node' "$OUT" "$(printf 'envID:\t0')"
printf '#!/bin/sh\necho "$1 is put"\n' >"${TMPDIR:-/tmp}/ve-put.$$"
chmod 755 "${TMPDIR:-/tmp}/ve-put.$$"
guest --put "${TMPDIR:-/tmp}/ve-put.$$" --ve -- sh -c "/root/ve-put.$$ 'a file'; grep envID /proc/self/status; exit 4"
is 'in a VE too' "$RC" 4
is 'with its file and its number' "$OUT" "$(printf 'a file is put\nenvID:\t1')"
rm -f "${TMPDIR:-/tmp}/ve-put.$$"
guest -- sh -c 'echo "WARNING: injected" >/dev/kmsg'
is 'a kernel warning is a failure, whatever the command says' "$RC" 125
guest -- poweroff -f
is 'a guest that ends early has no status' "$RC" 125
tap_end
