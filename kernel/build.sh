#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From Debian's kernel source package to a kernel.  Usage: kernel/build.sh FLAVOUR
# KERNEL_FRAGMENTS names files with more of the configuration (drivers: kernel/config/hardware.config).
#
#   prod   the node's kernel
#   base   the same configuration, unpatched
#   guards prod with guards that can be switched off (DEBUG_VE): as fast as prod, for the sweep of all tests
#   debug  guards with KASAN, lockdep, kmemleak, fault injection
#   kunit  ARCH=um with the KUnit tests (build/kernel/kunit/vmlinux)
#
#   /usr/src/linux-source-6.12.tar.xz -> $cache/src-{patched,base}  (tree/ and patches/ applied)
#                                     -> $cache/obj-FLAVOUR -> $cache/out/FLAVOUR-<hash>
#                                     -> build/kernel/FLAVOUR/bzImage
# What is built is kept by the hash of everything that went in: the source package, tree/, patches/,
# config/ and this script (not tools/ and Documentation/, of which no kernel is made).  Source and object
# directories stay, and only what changed gets a new time: an edit costs a minute, not all of it.
set -eu
cd "$(dirname "$0")/.."
flavour=$1
jobs=${JOBS:-$(nproc)}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vestibule/kernel
tarball=${KERNEL_TARBALL:-/usr/src/linux-source-6.12.tar.xz}
out=build/kernel/$flavour

say() { printf 'kernel %s: %s\n' "$flavour" "$*"; }
die() { say "$*" >&2; exit 1; }

[ -f "$tarball" ] || die "$tarball is missing: install the package linux-source-6.12"
read -r base_package base_version base_sha <kernel/BASE
sum_file=$cache/$(stat -c '%s-%Y' "$tarball").sha256
mkdir -p "$cache"
[ -f "$sum_file" ] || sha256sum "$tarball" | cut -d' ' -f1 >"$sum_file"
sha=$(cat "$sum_file")
if [ "$sha" != "$base_sha" ]; then
	say "NOTE: $base_package is not the tested $base_version (kernel/BASE); trying the series on it"
fi

# What this flavour is made of
fragments=(kernel/config/node.config kernel/config/hardening.config)
patched=yes arch=x86_64 target=bzImage image=arch/x86/boot/bzImage
case $flavour in
prod) fragments+=(kernel/config/ve.config) ;;
base) patched=no ;;
guards) fragments+=(kernel/config/ve.config kernel/config/guards.config) ;;
debug) fragments+=(kernel/config/ve.config kernel/config/guards.config kernel/config/debug.config) ;;
kunit) fragments=(kernel/config/kunit.config) arch=um target=vmlinux image=vmlinux ;;
*) die "unknown flavour; one of prod base guards debug kunit" ;;
esac
if [ $flavour != kunit ]; then
	for f in ${KERNEL_FRAGMENTS:-}; do
		[ -r "$f" ] || die "KERNEL_FRAGMENTS: cannot read $f"
		fragments+=("$f")
	done
fi
inputs() {
	echo "$sha $flavour"
	cat kernel/build.sh "${fragments[@]}"
	[ $patched = no ] || find kernel/tree kernel/patches kernel/series -type f -not -path 'kernel/tree/tools/*' -not -path 'kernel/tree/Documentation/*' | LC_ALL=C sort | xargs sha256sum
}
hash=$(inputs | sha256sum | cut -c1-16)
mkdir -p "$out"
if [ -f "$cache/out/$flavour-$hash/$(basename $image)" ]; then
	ln -sfn "$cache/out/$flavour-$hash" "$out.new"
	rm -rf "$out" && mv -T "$out.new" "$out"
	exit 0
fi

# The source.  One tree for the patched flavours, one for base.
src_hash=$({ echo "$sha"; [ $patched = no ] || find kernel/patches kernel/series -type f | LC_ALL=C sort | xargs sha256sum; } | sha256sum | cut -c1-16)
src=$cache/src-base
[ $patched = no ] || src=$cache/src-patched
exec 9>"$cache/lock"
flock 9
if [ "$(cat "$src/.made-of" 2>/dev/null)" != "$src_hash" ]; then
	say "unpacking $base_package"
	new=$cache/src-new
	rm -rf "$new"
	mkdir -p "$new" "$src"
	tar -x -f "$tarball" -C "$new" --strip-components=1
	if [ $patched = yes ]; then
		say "applying the series"
		grep -v '^#' kernel/series | while read -r p; do
			patch -s -p1 -F0 -d "$new" <"kernel/patches/$p" || die "patch $p does not apply to $base_package"
		done
	fi
	rsync -rlpc "$new/" "$src/"
	rm -rf "$new"
	echo "$src_hash" >"$src/.made-of"
fi
[ $patched = no ] || rsync -rc kernel/tree/ "$src/"

obj=$cache/obj-$flavour
mkdir -p "$obj"
export CCACHE_DIR=$cache/../ccache CCACHE_BASEDIR=$cache CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1 CCACHE_INODECACHE=1 CCACHE_MAXSIZE=3G
export KBUILD_BUILD_TIMESTAMP=@1 KBUILD_BUILD_USER=vestibule KBUILD_BUILD_HOST=vestibule
kmake() { make -s -C "$src" O="$obj" ARCH=$arch CC="ccache gcc" "$@"; }

cat "${fragments[@]}" >"$obj/fragment.config"
kmake KCONFIG_ALLCONFIG="$obj/fragment.config" allnoconfig >/dev/null
# Each symbol asked for must have survived the dependencies.
missing=$(grep -v '^#' "$obj/fragment.config" | grep . | awk -F= '{v[$1]=$0} END {for (k in v) print v[k]}' | while IFS= read -r line; do
	case $line in
	*=n) ! grep -q "^${line%=n}=" "$obj/.config" || echo "$line" ;;
	*) grep -qxF -- "$line" "$obj/.config" || echo "$line" ;;
	esac
done)
[ -z "$missing" ] || die "the configuration lost: $(echo "$missing" | tr '\n' ' ')"

# Progress: objects made so far of about as many as there will be
total=$(cat "$cache/objects-$flavour" 2>/dev/null || echo 1600)
start=$(date +%s)
kmake -j"$jobs" $target >"$obj/build.log" 2>&1 &
pid=$!
while kill -0 $pid 2>/dev/null; do
	n=$(find "$obj" -name '*.o' -newer "$obj/fragment.config" 2>/dev/null | wc -l)
	printf '\rkernel %s: %d of about %d objects, %d s ' "$flavour" "$n" "$total" $(($(date +%s) - start))
	for _ in 1 2 3 4 5; do kill -0 $pid 2>/dev/null && sleep 1; done
done
printf '\n'
wait $pid || { grep -E 'error|Error|warning' "$obj/build.log" | head -n 20 >&2; die "the build failed; all of it is in $obj/build.log"; }
find "$obj" -name '*.o' | wc -l >"$cache/objects-$flavour"
if grep -q 'warning:' "$obj/build.log"; then
	grep 'warning:' "$obj/build.log" | head -n 20 >&2
	die "warnings in the build"
fi

dest=$cache/out/$flavour-$hash
mkdir -p "$dest.tmp"
cp "$obj/$image" "$obj/.config" "$dest.tmp/"
[ $arch = um ] || cp "$obj/System.map" "$dest.tmp/"
rm -rf "$dest" && mv "$dest.tmp" "$dest"
ln -sfn "$dest" "$out.new"
rm -rf "$out" && mv -T "$out.new" "$out"
say "done after $(($(date +%s) - start)) s"
