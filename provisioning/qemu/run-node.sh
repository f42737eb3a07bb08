#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Run one node in QEMU: the only place that spells QEMU's options.
#
#   host                                   guest
#   root image, discarded afterwards ----> /dev/vda   (ext4, the Debian of the node)
#   each --disk, in order ---------------> /dev/vdb...  (ro with ":ro" behind the path)
#   --out FILE|- <------------------------ /dev/vport*p1 (name ve.out)
#   --status FILE <----------------------- /dev/vport*p2 (name ve.status)
#   --console FILE <---------------------- ttyS0
#   --control SOCKET <-------------------> /dev/vport*p3 (name ve.control): commands to the node itself
#   127.0.0.1:PORT, --forward PORT:GPORT -> eth0 10.0.2.15:GPORT
#   --tap INTERFACE <--------------------> eth0, instead: many connections at once are too much for QEMU's own stack
#
# The guest reaches nothing outside (restrict=on) unless --egress is given.  Without hardware
# virtualisation (vmx or svm in /proc/cpuinfo; a /dev/kvm that opens proves nothing) it is emulated.
set -eu

kernel='' root='' initrd='' mem=1024 smp='' append='' out=null status=null console=null control=''
restrict=on forward='' tap='' icount='' pidfile='' name=node
disks=()
while [ $# -gt 0 ]; do
	case $1 in
	--kernel) kernel=$2; shift ;;
	--root) root=$2; shift ;;
	--initrd) initrd=$2; shift ;;
	--disk) disks+=("$2"); shift ;;
	--mem) mem=$2; shift ;;
	--smp) smp=$2; shift ;;
	--append) append=$2; shift ;;
	--out) out=$2; shift ;;
	--status) status=$2; shift ;;
	--console) console=$2; shift ;;
	--control) control=$2; shift ;;
	--forward) forward="$forward,hostfwd=tcp:127.0.0.1:${2%%:*}-:${2##*:}"; shift ;;
	--tap) tap=$2; shift ;;
	--egress) restrict=off ;;
	--icount) icount=0 ;; # the guest's clock counts instructions, 2^N ns each
	--icount=*) icount=${1#*=} ;;
	--pidfile) pidfile=$2; shift ;;
	--name) name=$2; shift ;;
	*) echo "run-node.sh: unknown option $1" >&2; exit 2 ;;
	esac
	shift
done
[ -f "$kernel" ] && [ -f "${root:-$initrd}" ] || {
	echo "run-node.sh: --kernel and --root or --initrd must name files (make kernel image guest)" >&2
	exit 2
}

chardev() { # id, target
	case $2 in
	-) echo "file,id=$1,path=/dev/stdout,append=on" ;; # stdio would hang up when its input ends
	null) echo "null,id=$1" ;;
	*) echo "file,id=$1,path=$2" ;;
	esac
}

# QEMU 7.2's cmpxchg16b makes the flags of what an instruction before left, not of what is there: an interrupt
# right behind it saves flags that no processor has, and the return from it single-steps or faults.  A kernel that
# knows of no "cx16" does without.
accel=(-accel "tcg,thread=multi" -cpu "max,-cx16")
if [ -n "$icount" ]; then
	# Each turn of a rep-prefixed instruction is counted as one.  A kernel that trusts a processor to clear
	# a page by one of them would pay 4,096: without "erms" it takes eight bytes a turn.
	accel=(-accel tcg -cpu "max,-cx16,-erms,-fsrm" -icount "shift=$icount,sleep=off")
	smp=${smp:-1}
elif grep -qE '^flags.* (vmx|svm)( |$)' /proc/cpuinfo && [ -w /dev/kvm ]; then
	accel=(-accel kvm -cpu host)
fi

args=(
	-name "$name" -machine q35 -m "$mem" -smp "${smp:-2}" "${accel[@]}"
	-nodefaults -no-user-config -display none -no-reboot
	-kernel "$kernel"
	-append "console=ttyS0 panic=-1 net.ifnames=0 no_timer_check quiet ${root:+root=/dev/vda rw }$append"
	-chardev "$(chardev console "$console")" -serial chardev:console
	-device virtio-rng-pci
	-device "virtio-serial-pci,max_ports=4"
	-chardev "$(chardev out "$out")" -device "virtserialport,chardev=out,name=ve.out"
	-chardev "$(chardev status "$status")" -device "virtserialport,chardev=status,name=ve.status"
	-device "virtio-net-pci,netdev=net,romfile="
)
if [ -n "$tap" ]; then
	args+=(-netdev "tap,id=net,ifname=$tap,script=no,downscript=no")
else
	args+=(-netdev "user,id=net,restrict=$restrict$forward")
fi
[ -z "$initrd" ] || args+=(-initrd "$initrd")
[ -z "$root" ] || args+=(-drive "if=none,id=root,file=$root,format=raw,snapshot=on" -device "virtio-blk-pci,drive=root")
n=0
for d in "${disks[@]+"${disks[@]}"}"; do
	n=$((n + 1))
	opt=''
	case $d in *:ro) d=${d%:ro} opt=,readonly=on ;; esac
	args+=(-drive "if=none,id=disk$n,file=$d,format=raw$opt" -device "virtio-blk-pci,drive=disk$n")
done
[ -z "$control" ] || args+=(-chardev "socket,id=control,path=$control,server=on,wait=off"
	-device "virtserialport,chardev=control,name=ve.control")
[ -z "$pidfile" ] || args+=(-pidfile "$pidfile")
exec qemu-system-x86_64 "${args[@]}"
