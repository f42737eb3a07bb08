#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A crowd on one node of 3 GiB: 2,000 VEs sleep and 250 run, each of these with an address of its own where it answers.
[ -n "${INSIDE:-}" ] || exec "$(dirname "$0")/../guest/agent-run" "$0" --mem 3072 --timeout 3600
asleep=2000 awake=250
. ./t2-lib.sh
make_pki
echo 1G >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null && swapon /dev/zram0 || not_ok 'zram'
mount -o remount,nr_inodes=0 "$PRIVATE"
configure 'max_ves 4000' 'held 8' 'quarantine_ms 100'
start_agent

# many FIRST LAST METHOD PATH BODY [HEADER]: one connection; VE is put in place of @.  Prints each status.
many() {
	_i=$1 _last=$2 _method=$3 _path=$4 _body=$5 _header=''
	[ -z "${6:-}" ] || _header="header = \"$6\""
	while [ "$_i" -le "$_last" ]; do
		cat <<-END
		url = "https://n1$(echo "$_path" | sed "s/@/$_i/")"
		request = $_method
		data = "$(echo "$_body" | sed 's/"/\\"/g')"
		$_header
		output = /dev/null
		write-out = "%{http_code}\n"
		cacert = $T/ca.crt
		cert = $T/control.crt
		key = $T/control.key
		connect-to = "n1:443:127.0.0.1:$PORT"
		insecure
		silent
		next
		END
		_i=$((_i + 1))
	done | sed '$d' >"$T/many"
	curl -K "$T/many" | sort | uniq -c
}
count() { api GET /v1/node | json "ves.$1"; }
reached() { [ "$(count "$1")" -ge "$2" ]; }
free() { awk '/MemAvailable/ { print $2 }' /proc/meminfo; }

before=$(free)
is 'so many are asked for' "$(many 1000 $((999 + asleep)) PUT /v1/ves/@ "$(spec running 1 ',"idle":{"idle_after_s":1}')" 'If-None-Match: *' | awk '{ print $2 }')" 202
if until_ok 1800 reached frozen $asleep; then ok "$asleep are made and sleep"; else not_ok "$asleep are made and sleep" "$(count frozen)"; fi
say "# memory of a sleeper: $(((before - $(free)) / asleep)) KiB of the node's"
block b1 10.77.0.0/24 600000
is 'others are asked for' "$(many 5000 $((4999 + awake)) PUT /v1/ves/@ "$(spec running 1 ',"idle":{"idle_after_s":3600}')" 'If-None-Match: *' | awk '{ print $2 }')" 202
if until_ok 600 reached running $awake; then ok "$awake run"; else not_ok "$awake run" "$(count running)"; fi
addresses() { awk '$1 ~ /^10\.77\./ && $2 >= 5000 { print $1, $2 }' /proc/net/venet; }
lent() { [ "$(addresses | wc -l)" = $awake ]; }
if until_ok 60 lent; then ok 'with an address each'; else not_ok 'with an address each' "$(addresses | wc -l)"; fi

i=5000
while [ $i -lt $((5000 + awake)) ]; do
	"$BIN/vectl" --socket "$T/run/ctl.sock" exec $i '(while :; do nc -l -p 80 -e grep envID /proc/self/status; done) >/dev/null 2>&1 &' || not_ok "a command in $i"
	i=$((i + 1))
done
wrong=0
addresses >"$T/addresses"
while read -r address veid; do
	answers() { [ "$(nc -w 5 "$address" 80 </dev/null 2>/dev/null | tr -dc 0-9)" = "$veid" ]; }
	until_ok 20 answers || { wrong=$((wrong + 1)); say "# $address of $veid: $(nc -w 5 "$address" 80 </dev/null 2>&1)"; }
done <"$T/addresses"
is 'each answers there, and is itself' $wrong 0
is 'all at once' "$(count running),$(count frozen)" "$awake,$asleep"
is 'the kernel counts the same' "$(awk '$2 == "running" || $2 == "frozen" { n[$2]++ } END { print n["running"] "," n["frozen"] }' /proc/ve)" "$awake,$asleep"
is 'nobody was killed for memory' "$(awk '$1 == "oom_kill" { print $2 }' /proc/vmstat)" 0
say "# memory that is left: $(($(free) / 1024)) of $(($(awk '/MemTotal/ { print $2 }' /proc/meminfo) / 1024)) MiB"
is 'a sleeper wakes in the crowd' "$("$BIN/vectl" --socket "$T/run/ctl.sock" exec 1777 'grep envID /proc/self/status' | tr -dc 0-9)" 1777
is 'no part did what it may not' "$(grep -c "sandbox's list" "$T/log")" 0
done_testing
