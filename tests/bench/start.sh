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

# What `runc spec` makes is what these runtimes are used with; the tree, the program and the limits are ours.
(cd "$work" && PATH=$PATH:/usr/sbin runc spec)
jq '.root.path = "/usr/share/ve/template/tiny" | .process.terminal = false | .process.args = ["/bin/first"] |
	.linux.resources += {memory: {limit: 134217728}, pids: {limit: 128}, cpu: {shares: 1024}}' \
	"$work/config.json" >"$work/changed" && mv "$work/changed" "$work/config.json"

# A runtime pivots its root, which nothing that lives in an initramfs can: a tmpfs becomes the root first.
cat >"$work/inside" <<'EOF'
set -e
mkdir -p /newroot
mount -t tmpfs tmpfs /newroot
cp -a /bin /sbin /usr /etc /root /var /newroot/ 2>/dev/null || :
cd /newroot
mkdir -p proc sys dev tmp run mnt lib lib64 bundle opt
cp /put/* opt/
mv opt/config.json bundle/
mv opt/ld-linux-x86-64.so.2 lib64/
mv opt/*.so* lib/
for d in proc sys dev; do mount --rbind /$d $d; done
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount --move . /
exec chroot . /bin/sh -c "
	mount -t tmpfs tmpfs /var/lib/ve/private
	mount -t tmpfs tmpfs /mnt; cp -a /usr/share/ve/template/. /mnt; cp /opt/bench_first /mnt/tiny/bin/first; mount --move /mnt /usr/share/ve/template
	export PATH=/opt:\$PATH
	$*"
EOF
puts=(build/guest/bin/bench_start build/guest/bin/bench_first "$work/config.json" "$work/inside")
for p in crun runc bwrap; do
	f=$(PATH=$PATH:/usr/sbin command -v $p) || { echo "bench: $p is missing; provisioning/packages/install.sh bench" >&2; exit 1; }
	puts+=("$f")
	while read -r lib; do puts+=("$lib"); done < <(ldd "$f" | grep -o '/[^ ]*')
done
args=()
while read -r f; do args+=(--put "$f"); done < <(printf '%s\n' "${puts[@]}" | sort -u)
guest() { tests/guest/run --timeout 3600 "${args[@]}" "$@"; }

guest --icount --smp 1 -- sh /put/inside "bench_start once icount $samples"
guest --mem 2048 -- sh /put/inside "bench_start once wall $samples && bench_start rate wall $rounds && bench_start drift wall $cycles"
