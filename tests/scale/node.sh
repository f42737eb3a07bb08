# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# In the guest of tests/scale/subscribers: a node with the real agent, until it is told to end.
#   port 8090  the kernel's address table, again and again
#   port 8091  ends the agent and sends what is in its data base; the guest ends then
set -u
tar -xf /put/kit.tar -C / && rm /put/kit.tar
sed -i '/^nobody/d' /etc/passwd
echo nobody:x:65534:65534::/:/bin/false >>/etc/passwd
ip addr add 10.0.2.15/24 dev eth0 && ip link set eth0 up && ip route add default via 10.0.2.2
if [ -e /sys/block/zram0/disksize ]; then
	echo 1G >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null && swapon /dev/zram0
fi
mount -o remount,nr_inodes=0 /var/lib/ve/private
ve-agentd -c /kit/agentd.conf 2>/kit/log &
agent=$!

cat >/kit/table <<'T'
#!/bin/sh
while cat /proc/net/venet && echo .; do usleep 200000; done
T
cat >/kit/records <<'T'
#!/bin/sh
kill "$1"
while kill -0 "$1" 2>/dev/null; do usleep 100000; done
tar -cf - -C /kit/state . -C /kit log
: >/kit/done
T
chmod 755 /kit/table /kit/records
(while :; do nc -l -p 8090 -e /kit/table; done) >/dev/null 2>&1 &
echo 'node up'
nc -l -p 8091 -e /kit/records "$agent" >/dev/null 2>&1
until [ -e /kit/done ]; do usleep 100000; done
sync
exit 0
