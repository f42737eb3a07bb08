#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How long a VE takes to start, and to come and go, beside crun, runc, bubblewrap and a hand-written floor
# of stock namespaces; all in one guest, one after the other.  The figure that counts is of instructions
# (a guest of one CPU whose clock counts them); wall time, parallel starts and what 1,000 starts leave
# behind come from a guest of two CPUs.  The peers mount the tree read-only and pay for no overlay.
set -eu
cd "$(dirname "$0")/../.."
samples=${SAMPLES:-20} rounds=${ROUNDS:-5} cycles=${CYCLES:-1000}
work=$(mktemp -d "${TMPDIR:-/tmp}/ve-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

. tests/bench/runtimes
bundle /bin/first
put_in build/guest/bin/bench_start build/guest/bin/bench_first
put_programs crun runc bwrap
new_root <<'END'
mount -t tmpfs tmpfs /var/lib/ve/private
cp /opt/bench_first /usr/share/ve/template/tiny/bin/first
END
guest() { tests/guest/run --timeout 7200 "${args[@]}" "$@"; }

guest --icount --smp 1 -- sh /put/inside "bench_start once icount $samples"
guest --mem 2048 -- sh /put/inside "bench_start once wall $samples && bench_start rate wall $rounds && bench_start drift wall $cycles"
