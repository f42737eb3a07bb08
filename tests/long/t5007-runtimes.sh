#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a JVM and a Go program make of a VE that has one CPU of two and 512 MiB of 1.5 GiB: they take the size of their
# heap and the number of their threads from it.
if [ -z "${INSIDE:-}" ]; then
	set -eu
	cd "$(dirname "$0")/../.."
	. tests/lib/debian.sh
	work=$(mktemp -d "${TMPDIR:-/tmp}/ve-runtimes.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	cat >"$work/seen.go" <<'GO'
package main

import (
	"fmt"
	"runtime"
	"syscall"
)

func main() {
	var s syscall.Sysinfo_t
	if err := syscall.Sysinfo(&s); err != nil {
		panic(err)
	}
	fmt.Println(runtime.NumCPU(), runtime.GOMAXPROCS(0), s.Totalram*uint64(s.Unit)>>20)
}
GO
	printf '#!/bin/sh\nwhile :; do sleep 3600; done\n' >"$work/init"
	echo '# fetching a JVM and Go'
	# shellcheck disable=SC2016
	# A JVM is not installed where there is no place for its manual
	debian_image "$work/runtimes.img" 1G openjdk-17-jre-headless,golang-go,libc6-dev \
		--setup-hook='mkdir -p "$1"/usr/share/man/man1' \
		--customize-hook="copy-in $work/seen.go /root" --customize-hook="copy-in $work/init /sbin" \
		--customize-hook='chroot "$1" sh -c "cd /root && chmod 755 /sbin/init && GOCACHE=/tmp/go go build -o /usr/local/bin/seen seen.go"' \
		--customize-hook='rm -rf "$1"/tmp/go "$1"/usr/lib/go-* "$1"/usr/share/go-* "$1"/usr/lib/gcc'
	tests/guest/agent-run "$0" --mem 1536 --smp 2 --timeout 900 --disk "$work/runtimes.img:ro"
	exit
fi
. ./t2-lib.sh
make_pki
TEMPLATES=/run/runtimes
mkdir -p $TEMPLATES/debian && mount -t ext4 -o ro /dev/vda $TEMPLATES/debian || not_ok 'the template is mounted'
echo sha256:aa >$TEMPLATES/debian.digest
configure 'held 0'
start_agent
api PUT /v1/ves/1000 -H 'If-None-Match: *' -o /dev/null \
	-d '{"template":"debian","hostname":"h","desired":"running","generation":1,"limits":{"memory_bytes":536870912},"cpu":{"cpus":1}}'
await_state 1000 running
is 'a VE of a Debian runs' "$(state_of 1000)" running
run() { "$BIN/vectl" --socket "$T/run/ctl.sock" exec 1000 "$@" 2>&1; }
is 'the node has two CPUs' "$(grep -c ^processor /proc/cpuinfo)" 2
is 'Go: CPUs, threads that run at a time, MiB of memory' "$(run /usr/local/bin/seen)" '1 1 512'
jvm=$(run 'java -Xlog:gc+init -version')
has 'the JVM: CPUs' "$jvm" 'CPUs: 1 total, 1 available'
has 'the JVM: memory' "$jvm" 'Memory: 512M'
has 'the JVM: its heap is a quarter of it' "$jvm" 'Heap Max Capacity: 128M'
done_testing
