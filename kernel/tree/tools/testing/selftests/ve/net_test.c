// SPDX-License-Identifier: GPL-2.0-only
/*
 * venet: what passes between two VEs and the node, and what does not.
 *
 *     VE A 10.77.0.2 fd00:77::2 ---+
 *                                  +--- node 10.77.0.1 fd00:77::1 (on venet0)
 *     VE B 10.77.0.3 fd00:77::3 ---+
 *
 * Each refusal has its twin that passes.
 */
#include "envlib.h"
#include "tap.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TINY "/usr/share/ve/template/tiny"

static char *init[] = { "/sbin/init", NULL };
static char out[8192];

static int ip(const struct env_ve *ve, unsigned int cmd, const char *text)
{
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	struct env_ip a = { .family = (__u16)family, .epoch = 7 };

	inet_pton(family, text, a.addr);
	return env_ctl(ve->fd, cmd, &a, sizeof(a));
}

static bool runs(const struct env_ve *ve, const char *script)
{
	return env_sh(ve, script, out, sizeof(out)) == 0;
}

static void passes(const struct env_ve *ve, const char *script, const char *what)
{
	if (!ok(runs(ve, script), "%s", what))
		printf("# said: %s\n", out);
}

static void is_stopped(const struct env_ve *ve, const char *script,
		       const char *what)
{
	if (!ok(!runs(ve, script), "%s", what))
		printf("# said: %s\n", out);
}

static void on_node(const char *script)
{
	if (system(script))
		die("%s", script);
}

static struct env_netstat stat_of(const struct env_ve *ve)
{
	struct env_netstat st;

	if (env_ctl(ve->fd, ENV_CTL_NET_STAT, &st, sizeof(st)))
		die("net stat");
	return st;
}

static void test_paths(struct env_ve *a, struct env_ve *b)
{
	passes(a, "ip addr show venet0 | grep -q 10.77.0.2/32", "the address is on the device");
	passes(a, "ip route | grep -q '^default dev venet0'", "with a default route");
	passes(a, "ip -6 route | grep -q '^default dev venet0'", "in IPv6 too");
	passes(a, "ping -c1 -W3 10.77.0.1", "A reaches the node");
	passes(a, "ping -c1 -W3 10.77.0.3", "A reaches B");
	passes(a, "ping6 -c1 -W3 fd00:77::3", "A reaches B by IPv6");
	passes(a, "ping -c1 -W3 -s 1400 10.77.0.3", "with a large packet");
	passes(b, "head -c 1000000 /dev/zero >/tmp/big && httpd -p 80 -h /tmp", "B serves a file");
	passes(a, "[ $(wget -qO- http://10.77.0.3/big | wc -c) = 1000000 ]",
	       "A gets its 1,000,000 bytes by TCP");
	passes(a, "[ $(wget -qO- 'http://[fd00:77::3]/big' | wc -c) = 1000000 ]",
	       "and by TCP over IPv6");
}

static void test_source(struct env_ve *a, struct env_ve *b)
{
	unsigned long long before = stat_of(a).spoofed;

	is_stopped(a, "ip addr add 10.77.0.9/32 dev venet0 && ping -c1 -W1 -I 10.77.0.9 10.77.0.1",
		   "an address that A gave itself leads nowhere");
	ok(stat_of(a).spoofed > before, "and is counted");
	before = stat_of(a).spoofed;
	is_stopped(a, "ip addr add 10.77.0.3/32 dev venet0 && ping -c1 -W1 -I 10.77.0.3 10.77.0.1",
		   "nor does B's address in A's hands");
	ok(stat_of(a).spoofed > before, "and is counted too");
	passes(a, "ip addr del 10.77.0.3/32 dev venet0; ip addr del 10.77.0.9/32 dev venet0;"
	       "ping -c1 -W3 -I 10.77.0.2 10.77.0.1", "its own address still does");
	passes(b, "ping -c1 -W3 10.77.0.1", "and B never noticed");
}

static void test_device(struct env_ve *a)
{
	is_stopped(a, "ip link del venet0", "A cannot delete its device");
	passes(a, "ip link set venet0 down && ip link set venet0 up &&"
	       "ip route add default dev venet0 && ip addr add fd00:77::2/128 dev venet0 &&"
	       "ip -6 route add default dev venet0 && ping -c1 -W3 10.77.0.1",
	       "but take it down and up");
}

/* ---- flows of an address that goes -------------------------------------- */

#define FLOW_PORT 5556

static struct sockaddr_in6 node_at(const char *text)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htons(FLOW_PORT) };

	inet_pton(AF_INET6, text, &at.sin6_addr);
	return at;
}

/* In a VE, this program again: a flow to the node, until it ends.  Its errno. */
static int flow(const char *type, const char *host)
{
	struct sockaddr_in6 to = node_at(host);
	int s = socket(AF_INET6, strcmp(type, "tcp") ? SOCK_DGRAM : SOCK_STREAM, 0);
	char c;

	if (connect(s, (struct sockaddr *)&to, sizeof(to)) || write(s, "x", 1) != 1)
		return 99;
	return read(s, &c, 1) < 0 ? errno : 0;
}

/* A packet socket on @dev that takes IPv6 packets with a priority only. */
static int tap(const char *dev)
{
	static const struct bpf_insn take[] = {
		{ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 0, .src_reg = 1,
		  .off = offsetof(struct __sk_buff, priority) },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insn_cnt = 2,
				.insns = (uintptr_t)take, .license = (uintptr_t)"GPL" };
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IPV6),
				  .sll_ifindex = (int)if_nametoindex(dev) };
	int s = socket(AF_PACKET, SOCK_DGRAM, 0), prog = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	if (prog < 0 || setsockopt(s, SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog)) ||
	    bind(s, (struct sockaddr *)&at, sizeof(at)))
		die("a tap on %s", dev);
	close(prog);
	return s;
}

/* A datagram to @host with a priority that names a class of the node's queues. */
static int urgent(const char *host)
{
	struct sockaddr_in6 to = node_at(host);
	int s = socket(AF_INET6, SOCK_DGRAM, 0), class = 0x7e000000;
	bool sent = !setsockopt(s, SOL_SOCKET, SO_PRIORITY, &class, sizeof(class)) &&
		    sendto(s, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1;

	close(s);
	return !sent;
}

static void test_priority(struct env_ve *a)
{
	char *argv[] = { "/root/net_test", "urgent", "fd00:77::1", NULL };
	struct sockaddr_in6 any = node_at("::");
	int udp = socket(AF_INET6, SOCK_DGRAM, 0), lo = tap("lo"), venet = tap("venet0");
	char c;

	if (bind(udp, (struct sockaddr *)&any, sizeof(any)))
		die("the node's socket");
	ok(!urgent("::1") && env_poll(lo, POLLIN, 10000) & POLLIN, "the node's packets have a priority");
	ok(read(udp, &c, 1) == 1 && !env_wait(env_run(a, argv)) && env_poll(udp, POLLIN, 10000) & POLLIN,
	   "a VE's that asks for one come");
	ok(!env_poll(venet, POLLIN, 0), "but without it");
	close(lo);
	close(venet);
	close(udp);
}

#define STORM 32

/* In a VE: sockets of one port that are connected again and again, by four. */
static int storm(void)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(7000) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(FLOW_PORT) };
	int s[STORM], one = 1;

	inet_pton(AF_INET, "10.77.0.2", &own.sin_addr);
	inet_pton(AF_INET, "10.77.0.1", &to.sin_addr);
	for (int i = 0; i < STORM; i++) {
		s[i] = socket(AF_INET, SOCK_DGRAM, 0);
		if (setsockopt(s[i], SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) ||
		    bind(s[i], (struct sockaddr *)&own, sizeof(own)))
			return 99;
	}
	if (connect(s[0], (struct sockaddr *)&to, sizeof(to)) || write(s[0], "x", 1) != 1)
		return 99;
	fork();
	fork();
	for (int i = 0;; i = (i + 1) % STORM)
		connect(s[i], (struct sockaddr *)&to, sizeof(to));
}

static void test_storm(struct env_ve *a)
{
	char *argv[] = { "/root/net_test", "storm", NULL };
	struct sockaddr_in6 any = node_at("::");
	int udp = socket(AF_INET6, SOCK_DGRAM, 0), proc;

	if (bind(udp, (struct sockaddr *)&any, sizeof(any)))
		die("the node's socket");
	proc = env_run(a, argv);
	ok(env_poll(udp, POLLIN, 10000) & POLLIN, "sockets are connected over and over");
	ok(!ip(a, ENV_CTL_IP_DEL, "10.77.0.2"), "which does not keep the address");
	ok(!env_poll(proc, POLLIN, 0), "while they go on");
	env_sh(a, "kill -9 $(pidof net_test)", out, sizeof(out));
	env_wait(proc);
	ok(!ip(a, ENV_CTL_IP_ADD, "10.77.0.2"), "and it may come back");
	close(udp);
}

struct flow {
	int proc, node;		/* the VE's process; the node's end of it */
};

static struct flow open_flow(const struct env_ve *ve, char *type, char *host, int node)
{
	char *argv[] = { "/root/net_test", "flow", type, host, NULL };
	struct flow f = { .proc = env_run(ve, argv), .node = node };
	char c;

	if (f.proc < 0 || !(env_poll(node, POLLIN, 10000) & POLLIN))
		die("a flow by %s", type);
	if (!strcmp(type, "tcp"))
		f.node = accept(node, NULL, NULL);
	if (read(f.node, &c, 1) != 1)
		die("a flow by %s: nothing came", type);
	return f;
}

static void ends_with(const struct flow *f, int want, const char *what)
{
	int status = env_poll(f->proc, POLLIN, 10000) ? env_wait(f->proc) : -1;

	if (!ok(WIFEXITED(status) && WEXITSTATUS(status) == want, "%s", what))
		printf("# status %#x\n", (unsigned int)status);
}

static void test_flows(struct env_ve *a)
{
	struct sockaddr_in6 any = node_at("::");
	int tcp = socket(AF_INET6, SOCK_STREAM, 0), udp = socket(AF_INET6, SOCK_DGRAM, 0);
	struct flow four, six, datagrams;
	char c;

	if (bind(tcp, (struct sockaddr *)&any, sizeof(any)) || listen(tcp, 8) ||
	    bind(udp, (struct sockaddr *)&any, sizeof(any)))
		die("the node's sockets");
	four = open_flow(a, "tcp", "::ffff:10.77.0.1", tcp);
	six = open_flow(a, "tcp", "fd00:77::1", tcp);
	datagrams = open_flow(a, "udp", "::ffff:10.77.0.1", udp);

	ok(!ip(a, ENV_CTL_IP_DEL, "10.77.0.2"), "an address with flows is taken back");
	ok(env_poll(four.node, POLLIN, 10000) & POLLIN, "the node's end hears of it");
	refused((int)read(four.node, &c, 1), ECONNRESET, "its connection is reset");
	ends_with(&four, ECONNABORTED, "the VE's end is told at once");
	ends_with(&datagrams, ECONNABORTED, "that of datagrams too");
	ok(env_poll(six.node, POLLIN, 0) == 0 && write(six.node, "y", 1) == 1,
	   "a connection by another address goes on");
	ends_with(&six, 0, "and what is sent by it comes");
	ok(!ip(a, ENV_CTL_IP_ADD, "10.77.0.2"), "the address comes back");
	passes(a, "ping -c1 -W3 -I 10.77.0.2 10.77.0.1", "and serves again");
	close(four.node);
	close(six.node);
	close(tcp);
	close(udp);
}

static void test_revoke(struct env_ve *a, struct env_ve *b)
{
	ok(!ip(a, ENV_CTL_IP_DEL, "10.77.0.2"), "A's address is taken back");
	is_stopped(a, "ip addr show venet0 | grep -q 10.77.0.2/32", "it is off the device");
	is_stopped(a, "ip addr add 10.77.0.2/32 dev venet0; ip route add default dev venet0;"
		   "ping -c1 -W1 10.77.0.1", "and of no use when A sets it again");
	passes(a, "ping6 -c1 -W3 fd00:77::1", "IPv6 was not touched");
	ok(!ip(b, ENV_CTL_IP_ADD, "10.77.0.2"), "B may have it now");
	passes(b, "ping -c1 -W3 -I 10.77.0.2 10.77.0.1", "and it works there");
}

static __u64 boottime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (__u64)t.tv_sec * 1000000000u + (__u64)t.tv_nsec;
}

static struct env_activity activity_of(const struct env_ve *ve)
{
	struct env_activity a;

	if (env_ctl(ve->fd, ENV_CTL_ACTIVITY, &a, sizeof(a)))
		die("activity");
	return a;
}

/* Activity is as exact as the tick: on until one has come. */
static void await_tick(void)
{
	struct timespec now, coarse;

	clock_gettime(CLOCK_MONOTONIC, &now);
	do
		clock_gettime(CLOCK_MONOTONIC_COARSE, &coarse);
	while (coarse.tv_sec < now.tv_sec ||
	       (coarse.tv_sec == now.tv_sec && coarse.tv_nsec <= now.tv_nsec));
}

/* What keeps a VE awake; each kind has its twin that does not. */
static void test_activity(struct env_ve *a, struct env_ve *b)
{
	__u64 before = boottime_ns();
	static const __u8 from_a[16] = { [10] = 0xff, 0xff, 10, 77, 0, 2 };
	struct env_activity act;

	await_tick();
	passes(a, "ping -c1 -W3 127.0.0.1", "A talks to itself");
	act = activity_of(a);
	ok(act.last_tx < before && act.last_rx < before, "which is no activity");
	before = boottime_ns();
	await_tick();
	is_stopped(a, "echo x | nc -w2 10.77.0.3 4444", "nobody listens at B's port 4444");
	ok(activity_of(a).last_tx > before, "A was active");
	ok(activity_of(b).last_rx < before, "B was not: no socket took that");
	passes(a, "wget -qO- http://10.77.0.3/big >/dev/null", "A fetches from B's server");
	act = activity_of(b);
	ok(act.last_rx > before, "that is activity of B");
	ok(!memcmp(act.peer, from_a, 16) && act.port == 80 && act.protocol == IPPROTO_TCP,
	   "and it is known who it was");
}

static void test_deadline(struct env_ve *a)
{
	static const struct timespec tick = { .tv_nsec = 50000000 };
	struct env_ip x = { .family = AF_INET, .epoch = 8 };

	inet_pton(AF_INET, "10.77.0.20", x.addr);
	x.deadline = boottime_ns() + 3600ull * 1000000000;
	ok(!env_ctl(a->fd, ENV_CTL_IP_ADD, &x, sizeof(x)), "an address with an hour to go");
	passes(a, "ping -c1 -W3 -I 10.77.0.20 10.77.0.1", "works");
	x.deadline = boottime_ns() + 100 * 1000000;
	ok(!env_ctl(a->fd, ENV_CTL_IP_ADD, &x, sizeof(x)), "it is given a tenth of a second instead");
	for (int i = 0; i < 200 && !system("grep -q '^10.77.0.20 ' /proc/net/venet"); i++)
		nanosleep(&tick, NULL);
	ok(system("grep -q '^10.77.0.20 ' /proc/net/venet"), "it leaves the table by itself");
	is_stopped(a, "ip addr show venet0 | grep -q 10.77.0.20/32", "then it is off the device");
	is_stopped(a, "ip addr add 10.77.0.20/32 dev venet0; ping -c1 -W1 -I 10.77.0.20 10.77.0.1",
		   "and of no use when A sets it again");
	passes(a, "ip addr del 10.77.0.20/32 dev venet0; ping -c1 -W3 10.77.0.1",
	       "A's other address has no deadline");
	x.deadline = 1;
	refused(env_ctl(a->fd, ENV_CTL_IP_ADD, &x, sizeof(x)), ETIME,
		"an address whose time has passed");
}

static void brake(struct env_ve *ve, struct env_netlimit l)
{
	if (env_ctl(ve->fd, ENV_CTL_NET_LIMIT, &l, sizeof(l)))
		die("net limit");
}

static void test_brakes(struct env_ve *a, struct env_ve *b)
{
	struct env_netstat st = stat_of(a), then;

	ok(st.tx6_packets > 0 && st.tx6_packets < st.tx_packets && st.rx6_bytes > 1000000,
	   "what is IPv6 is counted apart");
	ok(!st.packets_braked && !st.flows_braked, "without brakes nothing is braked");

	brake(a, (struct env_netlimit){ .flow_rate = 1, .flow_burst = 3 });
	passes(a, "[ $(wget -qO- http://10.77.0.3/big | wc -c) = 1000000 ]",
	       "a flow within the rate passes, all of it");
	env_sh(a, "for i in 1 2 3 4 5 6; do nc -w1 10.77.0.3 4444 </dev/null; done", out, sizeof(out));
	then = stat_of(a);
	ok(then.flows_braked > st.flows_braked, "flows beyond it are braked and counted");
	passes(b, "ping -c1 -W3 10.77.0.1", "of that VE alone");
	brake(a, (struct env_netlimit){});
	passes(a, "for i in 1 2 3 4 5 6; do nc -w1 10.77.0.3 80 </dev/null || exit 1; done",
	       "without a rate as many as one likes");
	ok(stat_of(a).flows_braked == then.flows_braked, "and none is braked");

	brake(a, (struct env_netlimit){ .packet_rate = 1, .packet_burst = 2 });
	passes(a, "ping -c1 -W3 10.77.0.3", "a packet within the rate passes");
	env_sh(a, "for i in 1 2 3 4 5; do ping -c1 -W1 10.77.0.3 & done; wait", out, sizeof(out));
	ok(stat_of(a).packets_braked > 0, "packets beyond it are braked and counted");
	brake(a, (struct env_netlimit){});
	passes(a, "ping -c3 -W3 10.77.0.3", "and pass without it");
}

static int ves_listed(void)
{
	FILE *f = fopen("/proc/ve", "r");
	int lines = 0, c;

	while (f && (c = getc(f)) != EOF)
		lines += c == '\n';
	if (f)
		fclose(f);
	return lines;
}

/* The end of a connection cannot be told any more; TCP itself would try for minutes. */
static void test_untold(void)
{
	static const struct timespec tick = { .tv_nsec = 50000000 };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(4455) };
	int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), conn;
	int before = ves_listed(), now;
	struct env_ve ve;

	inet_pton(AF_INET, "10.77.0.1", &at.sin_addr);
	if (bind(door, (struct sockaddr *)&at, sizeof(at)) || listen(door, 1))
		die("listen");
	env_start(&ve, 302, TINY, init);
	env_lend(&ve, AF_INET, "10.77.0.4");
	env_sh(&ve, "(sleep 999 | nc 10.77.0.1 4455) >/dev/null 2>&1 &", out, sizeof(out));
	conn = env_poll(door, POLLIN, 30000) ? accept(door, NULL, NULL) : -1;
	ok(conn >= 0, "a VE has a connection");
	env_destroy(&ve);
	for (int i = 0; i < 600 && ves_listed() > before; i++)
		nanosleep(&tick, NULL);
	now = ves_listed();
	if (!ok(now <= before, "it does not keep the VE when that has ended"))
		printf("# %d, then %d\n", before, now);
	close(conn);
	close(door);
}

int main(int argc, char **argv)
{
	struct env_create_args args;
	struct env_ve a, b;

	if (argc == 4 && !strcmp(argv[1], "flow"))
		return flow(argv[2], argv[3]);
	if (argc == 2 && !strcmp(argv[1], "storm"))
		return storm();
	if (argc == 3 && !strcmp(argv[1], "urgent"))
		return urgent(argv[2]);
	env_require();
	on_node("ip addr add 10.77.0.1/24 dev venet0; ip -6 addr add fd00:77::1/64 dev venet0");
	env_prepare(&a, 300, TINY, &args, init);
	env_put(&a, "/proc/self/exe", "net_test");
	a.fd = env_create(&args, sizeof(args));
	if (a.fd < 0)
		die("env_create");
	close(args.root_fd);
	env_start(&b, 301, TINY, init);
	if (ip(&a, ENV_CTL_IP_ADD, "10.77.0.2") || ip(&a, ENV_CTL_IP_ADD, "fd00:77::2") ||
	    ip(&b, ENV_CTL_IP_ADD, "10.77.0.3") || ip(&b, ENV_CTL_IP_ADD, "fd00:77::3"))
		die("address");
	test_paths(&a, &b);
	test_source(&a, &b);
	test_device(&a);
	test_activity(&a, &b);
	test_brakes(&a, &b);
	test_deadline(&a);
	test_flows(&a);
	test_storm(&a);
	test_priority(&a);
	test_revoke(&a, &b);
	test_untold();
	env_destroy(&a);
	env_destroy(&b);
	return tap_done();
}
