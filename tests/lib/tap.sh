# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#  TAP from shell.  A test is a sentence that is true when its command succeeds.
#
#     ok 'the sentence' command args...
#     is 'the sentence' GOT WANTED
#     like 'the sentence' TEXT REGEX
#     as_in 'the sentence' DOC GOT TARGET
#     tap_end

TAP_N=0
TAP_BAD=0

tap_say() {
  TAP_N=$((TAP_N + 1))
  if [ "$1" = 0 ]; then
    echo "ok $TAP_N - $2"
  else
    TAP_BAD=$((TAP_BAD + 1))
    echo "not ok $TAP_N - $2"
  fi
}
ok() {
  tap_name=$1
  shift
  if "$@"; then tap_say 0 "$tap_name"; else tap_say 1 "$tap_name"; fi
}
is() {
  if [ "$2" = "$3" ]; then
    tap_say 0 "$1"
  else
    tap_say 1 "$1"
    printf 'got: %s\nwanted: %s\n' "$2" "$3" | sed 's/^/# /' | head -20
  fi
}
like() {
  if printf '%s\n' "$2" | grep -qE -- "$3"; then
    tap_say 0 "$1"
  else
    tap_say 1 "$1"
    printf 'got: %s\nwanted: %s\n' "$2" "$3" | sed 's/^/# /' | head -20
  fi
}
unlike() {
  if printf '%s\n' "$2" | grep -qE -- "$3"; then
    tap_say 1 "$1"
    printf 'got what was not wanted: %s\n' "$3" | sed 's/^/# /'
  else
    tap_say 0 "$1"
  fi
}
# as_in 'the sentence' DOC GOT TARGET: what was got is what DOC says; `make TARGET` writes it anew
as_in() {
  if diff -u "$2" "$3" >"$3.diff"; then
    tap_say 0 "$1"
  else
    tap_say 1 "$1"
    { cat "$3.diff"; echo "look at it, then make $4"; } | sed 's/^/# /' | head -n 100
  fi
}
tap_end() {
  echo "1..$TAP_N"
  [ "$TAP_BAD" = 0 ]
}
