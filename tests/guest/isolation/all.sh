#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# In a guest: every isolation program, its results under one numbering.
for p in /put/iso_*; do
	echo "# ${p#/put/iso_}"
	"$p" || echo "not ok - ${p#/put/} ended with $?"
done | awk '/^1\.\./ { next }
	/^(not )?ok/ { sub(/ok [0-9]*( -)?/, "ok " ++n " -") ; if (/^not/) bad++ }
	{ print }
	END { print "1.." n; exit bad > 0 }'
