// SPDX-License-Identifier: Apache-2.0
/*
 * What VEs get of a bandwidth that they are given, by the agent's own classes: each of them floods by UDP, and
 * the bytes that pass are held against the rate.  See bandwidth.sh.
 *
 *   bench_bandwidth VES           prints what tests/bench/run reads
 *   bench_bandwidth --check VES   as a test: no more than three parts in a hundred off
 *
 * Runs on a node whose clock counts instructions: a second is so many of them, and time that is not idle is work.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "agent/shape.h"
#include "envlib.h"
#include "tap.h"

#define TREE "/usr/share/ve/template/tiny"
#define UPLINK "dummy0"		/* what leaves by it is gone */
#define OUTSIDE "198.51.100.1"	/* behind it */
#define FIRST 1000		/* number of the first VE */
#define NETWORK 0x0a4e0000u	/* 10.78.0.0/16, the node's is 10.78.0.1 */
#define MOST 400
#define BUSY 20			/* VEs that send while the cost of the idle ones is asked */
#define RATE 25000u		/* bytes a second of each */
#define PACKET 1000		/* of IP */
#define ETHERNET 14		/* what the uplink's packets are longer, and are charged for */
#define WARM_UP 2.0		/* seconds in which bursts are used up */
#define LOOK 10.0
#define WATCH 60.0		/* the kernel tells idle time in hundredths of a second */

static struct {
	struct env_ve ve;
	int sock;		/* in its network namespace, at its address */
	uint64_t packets;	/* that the uplink saw of it */
} ves[MOST];
static int outside = -1;	/* sees what leaves by the uplink */
static bool check;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct sockaddr_in address_of(int i)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(9),
				     .sin_addr.s_addr = htonl(NETWORK + 2 + (uint32_t)i) };
}

/* A socket in a VE's network namespace, which the caller does not stay in. */
static int socket_inside(int i)
{
	struct sockaddr_in at = address_of(i);
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), net = env_ctl(ves[i].ve.fd, ENV_CTL_OPEN_NET, NULL, 0);
	int s;

	if (home < 0 || net < 0 || setns(net, CLONE_NEWNET))
		die("the network of VE %u", ves[i].ve.veid);
	s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s < 0 || bind(s, (struct sockaddr *)&at, sizeof(at)) || setns(home, CLONE_NEWNET))
		die("a socket in VE %u", ves[i].ve.veid);
	close(home);
	close(net);
	return s;
}

static uint32_t class_of(int i)
{
	return 16 + (uint32_t)i;
}

static void start(int i)
{
	static char *const init[] = { "/sbin/init", NULL };
	struct env_netlimit net = { .mark = SHAPE_MARK(class_of(i)) };
	struct env_ip ip = { .family = AF_INET, .epoch = 1 };
	struct sockaddr_in at = address_of(i);

	env_start(&ves[i].ve, (envid_t)(FIRST + i), TREE, init);
	memcpy(ip.addr, &at.sin_addr, sizeof(at.sin_addr));
	if (env_ctl(ves[i].ve.fd, ENV_CTL_IP_ADD, &ip, sizeof(ip)) ||
	    env_ctl(ves[i].ve.fd, ENV_CTL_NET_LIMIT, &net, sizeof(net)))
		die("the address of VE %u", ves[i].ve.veid);
	ves[i].sock = socket_inside(i);
}

/* The same rate and ceiling both ways. */
static void shape(int i, uint64_t rate, uint64_t ceil)
{
	struct rate r = { rate, ceil };
	int err = shape_set(class_of(i), &r, &r);

	if (err)
		die("the class of VE %u: %s", ves[i].ve.veid, strerror(-err));
}

static int open_outside(void)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(0x0003 /* ETH_P_ALL */),
				  .sll_ifindex = (int)if_nametoindex(UPLINK) };
	int s = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, at.sll_protocol);
	int size = 64 << 20;

	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    bind(s, (struct sockaddr *)&at, sizeof(at)))
		die("%s", UPLINK);
	return s;
}

/* Count what has left, by its source. */
static void look_outside(void)
{
	uint8_t head[20];
	uint32_t src;

	while (recv(outside, head, sizeof(head), MSG_TRUNC) > 0) {
		memcpy(&src, head + 12, sizeof(src));
		src = ntohl(src) - NETWORK - 2;
		if (head[0] >> 4 == 4 && src < MOST)
			ves[src].packets++;
	}
}

enum way { UP, DOWN };

/* Bytes of VE @i that have passed, as its class is charged for them. */
static double passed(enum way way, int i)
{
	struct env_netstat st = { 0 };

	if (way == UP) {
		look_outside();
		return (double)ves[i].packets * (PACKET + ETHERNET);
	}
	if (env_ctl(ves[i].ve.fd, ENV_CTL_NET_STAT, &st, sizeof(st)))
		die("counters of VE %u", ves[i].ve.veid);
	return (double)st.rx_bytes;
}

static void send_one(enum way way, int node, int i)
{
	static const char data[PACKET - 28];
	struct sockaddr_in to = address_of(i);

	if (way == UP)
		inet_pton(AF_INET, OUTSIDE, &to.sin_addr);
	sendto(way == UP ? ves[i].sock : node, data, sizeof(data), 0, (struct sockaddr *)&to, sizeof(to));
}

/* The first @n send, or are sent, @rate bytes a second each, until @end. */
static void flood(enum way way, int node, int n, double rate, double end)
{
	double due = now();

	while (due < end) {
		for (int i = 0; i < n; i++)
			send_one(way, node, i);
		look_outside();
		due += PACKET / rate;
		if (due > now())
			usleep((unsigned int)((due - now()) * 1e6));
	}
}

/* Offers a fifth more than each of the first @n may have: how far off @want are they, in percent? */
static double measure(const char *metric, enum way way, int n, double want)
{
	static double at[MOST], had[MOST];
	int node = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), size = 256 << 20;
	double worst = 0;

	if (setsockopt(node, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		die("the node's socket");
	flood(way, node, n, want * 1.2, now() + WARM_UP);
	for (int i = 0; i < n; i++) {
		had[i] = passed(way, i);
		at[i] = now();
	}
	flood(way, node, n, want * 1.2, now() + LOOK);
	for (int i = 0; i < n; i++) {
		double rate = (passed(way, i) - had[i]) / (now() - at[i]), off = fabs(rate / want - 1) * 100;

		worst = fmax(worst, off);
		if (!check)
			printf("%s icount vestibule percent %.2f\n", metric, off);
	}
	close(node);
	usleep(1000000); /* queues run empty */
	return worst;
}

/* Seconds that the CPU has been idle. */
static double idle(void)
{
	char text[64] = "";
	int fd = open("/proc/uptime", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		die("/proc/uptime");
	close(fd);
	return strtod(strchr(text, ' '), NULL);
}

/* ms of each second that the CPU is not idle while the first @n send at their rate. */
static double work(int n)
{
	double begin, rested;

	usleep(2000000); /* whatever came before ends */
	begin = now();
	rested = idle();
	if (n)
		flood(UP, -1, n, RATE, begin + WATCH);
	else
		usleep((unsigned int)(WATCH * 1e6));
	return (1 - (idle() - rested) / (now() - begin)) * 1000;
}

static void say(const char *metric, const char *subject, double ms)
{
	printf(check ? "# %s %s: %.2f ms of a second\n" : "%s icount %s ms_per_s %.3f\n", metric, subject, ms);
}

static void within(double off, const char *what)
{
	if (check && !ok(off <= 3, "%s: three parts in a hundred at most", what))
		printf("# %.2f\n", off);
}

static void measure_idle(int n)
{
	double none = work(0), few = 0, all, few_of_all;

	for (int i = 0; i < n; i++) {
		if (i == BUSY)
			few = work(BUSY);
		start(i);
		shape(i, RATE, RATE);
	}
	all = work(0);
	few_of_all = work(BUSY);
	say("work_of_nobody", "no_ves", none);
	say("work_of_nobody", "idle_ves", all);
	say("work_of_20", "alone", few);
	say("work_of_20", "beside_idle_ves", few_of_all);
	if (check && !ok(all - none < 1, "idle VEs cost less than a thousandth of a CPU"))
		printf("# %.2f ms of a second\n", all - none);
	if (check && !ok(few_of_all < few * 1.03 + 1, "and those that send next to nothing"))
		printf("# %.2f ms of a second, %.2f\n", few, few_of_all);
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[argc - 1]) : 0, active;

	check = argc == 3 && !strcmp(argv[1], "--check");
	if (n < 2 * BUSY || n > MOST || (argc != 2 && !check)) {
		fprintf(stderr, "usage: bench_bandwidth [--check] VES, %d to %d\n", 2 * BUSY, MOST);
		return 2;
	}
	setlinebuf(stdout);
	env_require();
	shape_open(UPLINK, (uint64_t)n * RATE);
	outside = open_outside();
	measure_idle(n);
	within(measure("off_rate_to_ves", DOWN, n, RATE), "what goes to them");
	within(measure("off_rate_from_ves", UP, n, RATE), "what comes from them");
	/* A quarter of them want all there is, and each may have it. */
	active = n / 4;
	for (int i = 0; i < n; i++)
		shape(i, RATE, 4 * RATE);
	within(measure("off_ceiling_to_ves", DOWN, active, 4.0 * RATE), "what is borrowed of the idle, to them");
	within(measure("off_ceiling_from_ves", UP, active, 4.0 * RATE), "what is borrowed of the idle, from them");
	within(measure("off_rate_after", DOWN, n, RATE), "and given back when they want it");
	return check ? tap_done() : 0;
}
