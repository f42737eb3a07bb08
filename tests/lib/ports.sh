# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034
# PORT_BASE: the first of a hundred ports that no other test on this machine uses, below those that the kernel gives to
# whoever connects.  The lock is held until the last program that this test starts has ended.
port_base() {
  slots=${TMPDIR:-/tmp}/ve-ports.$(id -u)
  mkdir -p "$slots"
  slot=$(($$ % 100))
  for _ in $(seq 100); do
    slot=$(((slot + 1) % 100))
    exec 7>"$slots/$slot"
    if flock -n 7; then
      PORT_BASE=$((20000 + slot * 100))
      return
    fi
  done
  echo 'no free ports: 100 tests at once?' >&2
  exit 1
}
[ -n "${PORT_BASE:-}" ] || port_base
