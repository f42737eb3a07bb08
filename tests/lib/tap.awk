# SPDX-License-Identifier: Apache-2.0
# Joins the TAP of several runs into one: renumbers, drops the plans, and prints
# one plan at the end.  A file that broke before its end is a failure itself.
/^[0-9]+\.\.[0-9]+$/ { sub(/.*\.\./, ""); want += $0; next }
/^(not )?ok/ {
  verdict = /^not/ ? "not ok" : "ok"
  sub(/^(not )?ok *[0-9]* *(- )?/, "")
  printf "%s %d - %s\n", verdict, ++n, $0
  next
}
/^# file / { file = $3 }
/^(psql:|.*ERROR:)/ { printf "not ok %d - %s runs to its end\n", ++n, file; want++ }
{ print ($0 ~ /^#/ || $0 == "") ? $0 : "# " $0 }
END {
  if (n != want) printf "not ok %d - as many tests as planned (%d)\n", ++n, want
  printf "1..%d\n", n
}
