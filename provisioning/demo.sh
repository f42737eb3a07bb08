#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The whole product on one machine, as `make run` and `make stop` have it.
#
#   browser --https--> ve-portald (8443, 8444) --+--> PostgreSQL (build/run/pg, a socket)
#   ssh -----2222----> sshd + ve-shell ----------+        ^
#                                                |        |
#   QEMU: node n1 (7443), n2 (7444) ... <--mTLS--+---- ve-jobd
#
# Everything that lives on is under build/run (RUN=dir): the database, the certificates, each node's two disks.
# NODES=n, PORTALS=n, EGRESS=1 (VEs reach the world), NODE_MEM=MB, PORT, SSH_PORT, AGENT_PORT,
# FORWARD=port:port (one more port of this machine leads to node n1).
set -eu
shopt -s inherit_errexit
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin # an ordinary user's has it not: mke2fs, debugfs
top=$PWD
run=${RUN:-$top/build/run}
bin=$top/build/rel/bin
nodes=${NODES:-1}
portals=${PORTALS:-2}
port=${PORT:-8443}
ssh_port=${SSH_PORT:-2222}
agent_port=${AGENT_PORT:-7443}
mem=${NODE_MEM:-1536}
pg_bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
begin=$(date +%s)
operator=${OPERATOR:-operator@localhost.localdomain}

step=0 steps=8
say() { step=$((step + 1)); printf '[%d/%d %4d s] %s\n' $step $steps $(($(date +%s) - begin)) "$*"; }
fail() { echo "$*" >&2; exit 1; }

# ---- processes by pid file: ours only when the program's name still fits ----

alive() { # pid file, name
	local pid
	pid=$(cat "$run/$1.pid" 2>/dev/null) && [ -n "$pid" ] && grep -q "$2" "/proc/$pid/cmdline" 2>/dev/null
}

launch() { # name, word of its command line, command...
	local name=$1 word=$2
	shift 2
	alive "$name" "$word" && return 0
	setsid "$@" >>"$run/$name.log" 2>&1 </dev/null &
	echo $! >"$run/$name.pid"
}

end() { # name, word, signal
	alive "$1" "$2" || { rm -f "$run/$1.pid"; return 0; }
	local pid
	pid=$(cat "$run/$1.pid")
	kill -s "${3:-TERM}" "$pid" 2>/dev/null || true
	for _ in $(seq 100); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	kill -9 "$pid" 2>/dev/null || true
	rm -f "$run/$1.pid"
}

await() { # seconds, what, command...
	local until=$(($(date +%s) + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$until" ] || fail "$what did not come up; see $run/*.log"
		sleep 0.2
	done
}

# ---- database ----

# PostgreSQL refuses root; in a user namespace of its own it runs in a checkout that only root enters.
as_user=(env)
[ "$(id -u)" != 0 ] || as_user=(unshare --user --map-user=1000 --map-group=1000)

# A socket's path has little room
socket_dir() {
	local d=$run/sock
	[ ${#d} -le 80 ] || d=${TMPDIR:-/tmp}/ve-$(printf '%s' "$run" | sha256sum | cut -c1-12)
	mkdir -p "$d"
	chmod 700 "$d"
	echo "$d"
}

secret() { # name: a password that stays
	[ -f "$run/secret/$1" ] || (umask 077; mkdir -p "$run/secret"; openssl rand -hex 24 >"$run/secret/$1")
	cat "$run/secret/$1"
}

conninfo() { # role
	echo "host=$sock port=5432 dbname=vestibule user=$1 password=$(secret "db-$1")"
}

database() {
	if [ ! -f "$run/pg/PG_VERSION" ]; then
		secret db-postgres >/dev/null
		"${as_user[@]}" "$pg_bin/initdb" -D "$run/pg" -U postgres -A scram-sha-256 --pwfile="$run/secret/db-postgres" \
			-E UTF8 --locale=C.UTF-8 >"$run/initdb.log"
		cat >>"$run/pg/postgresql.conf" <<-T
			listen_addresses = ''
			max_connections = 80
			log_min_duration_statement = 1000
		T
	fi
	if ! alive pg postgres; then
		rm -f "$run/pg/postmaster.pid"
		launch pg postgres "${as_user[@]}" \
			"$pg_bin/postgres" -D "$run/pg" -k "$sock"
	fi
	export PGPASSWORD
	PGPASSWORD=$(secret db-postgres)
	await 30 PostgreSQL psql -qXAt -h "$sock" -U postgres -d postgres -c 'select 1'
	psql -qXAt -h "$sock" -U postgres -d postgres -c "select 1 from pg_database where datname = 'vestibule'" |
		grep -q 1 || psql -qX -h "$sock" -U postgres -d postgres -c 'create database vestibule'
	schema/migrate.sh "host=$sock dbname=vestibule user=postgres" >"$run/migrate.log"
	for r in portal jobd signer gateway admin; do
		echo "alter role ve_$r login password '$(secret db-ve_$r)';"
	done | psql -qX -h "$sock" -U postgres -d vestibule
}

# ---- nodes ----

node_files() { # number
	local id=n$1 dir=$run/n$1
	mkdir -p "$dir"
	[ -f "$dir/grant.key" ] || (umask 077; openssl rand -hex 32 >"$dir/grant.key")
	if [ ! -f "$dir/state.img" ]; then
		truncate -s 256M "$dir/state.img.tmp"
		mke2fs -q -t ext4 -L ve-state "$dir/state.img.tmp"
		truncate -s 8G "$dir/private.img"
		mke2fs -q -t ext4 -L ve-private -i 8192 -O quota,project -E quotatype=prjquota "$dir/private.img"
		mv "$dir/state.img.tmp" "$dir/state.img"
	fi
	rm -rf "$dir/payload"
	make -s install-node DESTDIR="$dir/payload"
	mkdir -p "$dir/payload/etc/vestibule"
	cp "$run/pki/ca.crt" "$dir/payload/etc/vestibule/ca.crt"
	cp "$run/pki/node-$id.crt" "$dir/payload/etc/vestibule/node.crt"
	cp "$run/pki/node-$id.key" "$dir/payload/etc/vestibule/node.key"
	cp "$dir/grant.key" "$dir/payload/etc/vestibule/grant.key"
	[ -z "${EGRESS:-}" ] || : >"$dir/payload/etc/vestibule/egress"
	cat >"$dir/payload/etc/ve-agentd.conf" <<-T
		node $id
		listen 0.0.0.0:7443
		ca /etc/vestibule/ca.crt
		cert /etc/vestibule/node.crt
		key /etc/vestibule/node.key
		grant_key /etc/vestibule/grant.key
		template_dir /usr/share/ve/template
		private_dir /var/lib/ve/private
	T
	[ -z "${EGRESS:-}" ] || echo 'resolver 10.0.2.3' >>"$dir/payload/etc/ve-agentd.conf" # the emulator's
	tar -C "$dir/payload" --owner=0 --group=0 -cf "$dir/payload.tar" .
	truncate -s %1M "$dir/payload.tar"
}

node_up() { # number
	local dir=$run/n$1
	alive "n$1" qemu-system && return 0
	node_files "$1"
	rm -f "$sock/n$1.control"
	local more=()
	[ "$1" != 1 ] || [ -z "${FORWARD:-}" ] || more=(--forward "$FORWARD")
	launch "n$1" qemu-system provisioning/qemu/run-node.sh --name "n$1" --kernel build/kernel/prod/bzImage \
		--root build/image/node.img --disk "$dir/payload.tar:ro" --disk "$dir/state.img" \
		--disk "$dir/private.img" --mem "$mem" --smp 2 --console "$dir/console.log" \
		--control "$sock/n$1.control" --forward "$((agent_port + $1 - 1)):7443" ${EGRESS:+--egress} "${more[@]+"${more[@]}"}"
}

agent_ready() { # number
	curl -sf --max-time 3 --cacert "$run/pki/ca.crt" --cert "$run/pki/control.crt" --key "$run/pki/control.key" \
		-k "https://127.0.0.1:$((agent_port + $1 - 1))/readyz"
}

# A machine that ended while it started (an emulator that lost its way) is started again; what it said is kept.
node_ready() { # number
	agent_ready "$1" && return 0
	alive "n$1" qemu-system && return 1
	mv "$run/n$1/console.log" "$run/n$1/console.log.ended" 2>/dev/null || true
	node_up "$1"
	return 1
}

node_down() { # number
	alive "n$1" qemu-system || { rm -f "$run/n$1.pid"; return 0; }
	# The line stays open until it answers: QEMU hangs up when half of it is closed.
	printf 'poweroff\n' | timeout 10 socat -t 10 - "UNIX-CONNECT:$sock/n$1.control,shut-none" 2>/dev/null | grep -q -m 1 ok ||
		echo "node n$1 does not hear that it is to go down" >&2
	for _ in $(seq 900); do
		alive "n$1" qemu-system || break
		sleep 0.1
	done
	! alive "n$1" qemu-system || echo "node n$1 does not go down by itself: its power is cut" >&2
	end "n$1" qemu-system
}

# ---- portal ----

portal_conf() { # number
	cat <<-T
		listen 127.0.0.1:$((port + $1 - 1))
		public_url https://localhost:$((port + $1 - 1))
		tls_cert $run/pki/portal.crt
		tls_key $run/pki/portal.key
		www $top/www
		db $(conninfo ve_portal)
		node_ca $run/pki/ca.crt
		terminal_cert $run/pki/terminal.crt
		terminal_key $run/pki/terminal.key
		ssh_host localhost
		ssh_port $ssh_port
		domain ve.localhost
		shell $bin/ve-shell
	T
}

jobd_conf() {
	cat <<-T
		db $(conninfo ve_jobd)
		node_ca $run/pki/ca.crt
		control_cert $run/pki/control.crt
		control_key $run/pki/control.key
		public_url https://localhost:$port
		${SMTP_URL:+smtp_url $SMTP_URL}
		${SMTP_URL:+mail_from ${MAIL_FROM:-vestibule@localhost}}
	T
}

signer_conf() {
	cat <<-T
		db $(conninfo ve_signer)
		node_ca $run/pki/ca.crt
		node_ca_key $run/pki/ca.key
	T
}

gateway_conf() {
	cat <<-T
		db $(conninfo ve_gateway)
		node_ca $run/pki/ca.crt
		terminal_cert $run/pki/terminal.crt
		terminal_key $run/pki/terminal.key
		shell $bin/ve-shell
	T
}

gateway() {
	local uid gid
	uid=$(id -u) gid=$(id -g)
	mkdir -p "$run/ssh/home"
	[ -f "$run/ssh/host_key" ] || ssh-keygen -q -t ed25519 -N '' -C vestibule -f "$run/ssh/host_key"
	# The account ve exists for sshd alone; it is whoever runs this.
	{ getent passwd; echo "ve:x:$uid:$gid:Vestibule gateway:$run/ssh/home:/bin/sh"; } >"$run/ssh/passwd"
	# sshd gives the terminal to the group tty, which an ordinary user cannot; here that is their own.
	{ getent group | grep -v '^tty:'; echo "tty:x:$gid:"; } >"$run/ssh/group"
	cat >"$run/ssh/sshd_config" <<-T
		Port $ssh_port
		ListenAddress 127.0.0.1
		ListenAddress ::1
		HostKey $run/ssh/host_key
		PidFile none
		PermitRootLogin forced-commands-only
		AuthorizedKeysCommand /usr/bin/env $bin/ve-keys -c $run/gateway.conf %t %k
		AuthorizedKeysCommandUser $(id -un)
		Subsystem sftp $bin/ve-shell -c $run/gateway.conf -s sftp
		StrictModes no
		Include $top/provisioning/gateway/rules.conf
	T
	[ "$uid" != 0 ] || mkdir -p /run/sshd
	launch sshd sshd env LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_PASSWD="$run/ssh/passwd" \
		NSS_WRAPPER_GROUP="$run/ssh/group" /usr/sbin/sshd -D -f "$run/ssh/sshd_config" -E "$run/sshd.log"
}

portal_ready() { curl -sfk --max-time 3 "https://localhost:$port/healthz"; }
node_known() {
	psql -qXAt -h "$sock" -U postgres -d vestibule -c "select count(*) from ve.node where seen_at > now() - interval '30 s'" |
		grep -qx "$nodes"
}

run_all() {
	say packages
	provisioning/packages/install.sh build run
	say programs
	make -s -j"$(nproc)" all
	say "kernel and node image"
	mkdir -p "$run"
	chmod 700 "$run"
	make -s image >"$run/image.log" 2>&1 & # downloads, while the kernel is compiled
	image=$!
	[ -n "${KEEP_KERNEL:-}" ] || make -s kernel
	wait $image || { cat "$run/image.log" >&2; fail "the node image was not made; see above"; }
	say "certificates and database"
	ids=$(seq -f n%g "$nodes")
	# shellcheck disable=SC2086
	provisioning/pki/pki.sh "$run/pki" all $ids
	sock=$(socket_dir)
	database
	say "nodes: $(echo "$ids" | tr '\n' ' ')"
	for i in $(seq "$nodes"); do node_up "$i"; done
	(
		umask 077
		for i in $(seq "$portals"); do portal_conf "$i" >"$run/portal$i.conf"; done
		jobd_conf >"$run/jobd.conf"
		signer_conf >"$run/signer.conf"
		gateway_conf >"$run/gateway.conf"
	)
	admin=$(conninfo ve_admin)
	for i in $(seq "$nodes"); do
		psql -qXAt -d "$admin" -c "select ve.node_install('n$i', 'https://127.0.0.1:$((agent_port + i - 1))', '$(cat "$run/n$i/grant.key")', 200)"
	done >/dev/null
	psql -qXAt -d "$admin" -c "select ve.pool_install('10.77.0.0/24', 28), ve.pool_install('fd76:6573:7469::/64', 128)" >/dev/null
	for i in $(seq "$nodes"); do await 120 "the agent of n$i" node_ready "$i"; done
	say "portal, job daemon, signer, ssh gateway"
	launch jobd ve-jobd "$bin/ve-jobd" -c "$run/jobd.conf"
	# further nodes enrol with a token from /admin: provisioning/enrol/ve-enrol -c build/run/pki/ca.crt
	launch signer ve-signer "$bin/ve-signer" -c "$run/signer.conf"
	for i in $(seq "$portals"); do launch "portal$i" ve-portald "$bin/ve-portald" -c "$run/portal$i.conf"; done
	gateway
	await 30 "the portal" portal_ready
	say "operator's account"
	"$bin/ve-portald" -o "$operator" -d "$admin" >"$run/operator.new" 2>>"$run/operator.log"
	if [ -s "$run/operator.new" ]; then
		printf '\n  operator %s\n  first password, shown this once: %s\n\n' "$operator" "$(cat "$run/operator.new")"
	fi
	rm -f "$run/operator.new"
	say "waiting for the nodes to be known"
	await 60 "the job daemon's view of the nodes" node_known
	printf 'ssh -p %s ve@localhost (with a key from your page); stop with: make stop\n' "$ssh_port"
	printf 'ready: https://localhost:%s/\n' "$port"
}

stop_all() {
	[ -d "$run" ] || { echo "nothing runs here"; return 0; }
	sock=$(socket_dir)
	end sshd sshd
	for f in "$run"/portal*.pid; do [ ! -f "$f" ] || end "$(basename "$f" .pid)" ve-portald; done
	end jobd ve-jobd
	end signer ve-signer
	for f in "$run"/n*.pid; do
		[ -f "$f" ] || continue
		n=$(basename "$f" .pid)
		node_down "${n#n}"
	done
	end pg postgres INT # "fast": does not wait for its clients
	echo "stopped; nothing is lost"
}

case ${1:-} in
run) run_all ;;
stop) stop_all ;;
*) echo "usage: demo.sh run|stop" >&2; exit 2 ;;
esac
