#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a sleeper costs and how fast it is awake: VEs of the template tiny with a shell at a pty, made, frozen and
# their memory given back by the agent's own part priv, beside crun containers of the same tree with the same two
# processes, frozen by the control group's freezer and reclaimed.  Private trees lie on a disk with quotas and what is
# given back in zram, as on a node.  Memory and wall times come from a guest of two CPUs; the times that count from one
# whose clock counts instructions, with fewer of them.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build/rel}
count=${COUNT:-500} few=${SAMPLES:-50} subjects=${SUBJECTS:-vestibule crun_frozen}
work=$(mktemp -d "${TMPDIR:-/tmp}/ve-idle.XXXXXX")
trap 'rm -rf "$work"' EXIT
PATH=$PATH:/usr/sbin
for subject in $subjects; do
	for metric in resident_idle own_idle own_swapped; do echo "$metric wall $subject KiB want"; done
	for metric in freeze resume first_command; do
		echo "$metric wall $subject ns want"
		echo "$metric icount $subject instructions want"
	done
done

(cd "$work" && runc spec)
jq '.root.path = "/usr/share/ve/template/tiny" | .process.terminal = false | .process.args = ["/sbin/init"] |
	.linux.resources += {memory: {limit: 134217728}, pids: {limit: 128}, cpu: {shares: 1024}}' \
	"$work/config.json" >"$work/changed" && mv "$work/changed" "$work/config.json"
printf '%s\n' 'node n1' 'template_dir /usr/share/ve/template' 'held 0' >"$work/conf"
truncate -s 1G "$work/private.img"
mke2fs -q -t ext4 -O quota,project -E quotatype=prjquota "$work/private.img"

# A runtime pivots its root, which nothing that lives in an initramfs can: a tmpfs becomes the root first.
cat >"$work/inside" <<'END'
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
	set -e
	mount -t ext4 -o prjquota,noatime /dev/vda /var/lib/ve/private
	mount -t tmpfs tmpfs /mnt; cp -a /usr/share/ve/template/. /mnt; mount --move /mnt /usr/share/ve/template
	echo lzo-rle >/sys/block/zram0/comp_algorithm; echo 512M >/sys/block/zram0/disksize
	mkswap /dev/zram0 >/dev/null; swapon -d /dev/zram0
	ulimit -n 20000
	export PATH=/opt:\$PATH
	$*"
END
puts=(build/guest/bin/bench_idle "$work/config.json" "$work/conf" "$work/inside")
for p in crun "$BUILD/bin/ve-agentd"; do
	f=$(command -v "$p") || { echo "bench: $p is missing; make all, provisioning/packages/install.sh bench" >&2; exit 1; }
	puts+=("$f")
	while read -r lib; do puts+=("$lib"); done < <(ldd "$f" | grep -o '/[^ ]*')
done
args=()
while read -r f; do args+=(--put "$f"); done < <(printf '%s\n' "${puts[@]}" | sort -u)
# One subject a guest: nothing that one leaves behind counts for the other.
guest() { # MODE COUNT [OPTION]...
	local mode=$1 n=$2 subject command
	shift 2
	for subject in $subjects; do
		command="$subject crun /bundle"
		[ "$subject" != vestibule ] || command='vestibule /opt/ve-agentd /opt/conf'
		tests/guest/run --timeout 1800 --disk "$work/private.img" "${args[@]}" "$@" -- \
			sh /put/inside "bench_idle $command $mode $n" >"$work/out" || { tail -n 5 "$work/out" >&2; return 1; }
		grep -v '^#' "$work/out" | if [ "$mode" = icount ]; then grep ' instructions '; else cat; fi
		grep '^#' "$work/out" >&2 || :
	done
}
guest wall "$count" --mem 2048
guest icount "$few" --icount
