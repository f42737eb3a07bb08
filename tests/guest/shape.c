// SPDX-License-Identifier: Apache-2.0
/*
 * Classes of bandwidth on a device of the node: what passes, what is borrowed, and
 * what is left when nobody wants them.  Packets go over lo with the mark that
 * the kernel gives those of a VE.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/shape.h"

#define WIRE 1000   /* of a packet, with UDP, IP and Ethernet before it */
#define ALL 2000000 /* bytes a second of the device */
#define LOOK 3	    /* seconds */

static int tests;

static void is(bool good, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void is(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%s %d - ", good ? "ok" : "not ok", ++tests);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* The loopback of a family, at a port, and what a packet of WIRE bytes carries. */
struct where {
	struct sockaddr_storage a;
	socklen_t len;
	size_t payload;
};

static struct where loopback(int family, uint16_t port)
{
	struct where w = { .a.ss_family = (sa_family_t)family };

	if (family == AF_INET) {
		struct sockaddr_in *a = (void *)&w.a;

		a->sin_port = htons(port);
		a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		w.len = sizeof(*a);
		w.payload = WIRE - 14 - 20 - 8;
	} else {
		struct sockaddr_in6 *a = (void *)&w.a;

		a->sin6_port = htons(port);
		a->sin6_addr = in6addr_loopback;
		w.len = sizeof(*a);
		w.payload = WIRE - 14 - 40 - 8;
	}
	return w;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Sends as fast as it may, or one packet in each @gap us, until it is killed.  Each
 * begins with the time. */
static pid_t flood(int family, uint32_t mark, uint16_t port, unsigned gap)
{
	struct where to = loopback(family, port);
	static char data[WIRE];
	pid_t pid = fork();
	int sock;

	if (pid)
		return pid;
	sock = socket(family, SOCK_DGRAM, 0);
	if (setsockopt(sock, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0)
		_exit(1);
	/* a full socket waits for the queue, which is what paces it */
	for (;;) {
		double t = now();

		memcpy(data, &t, sizeof(t));
		sendto(sock, data, to.payload, 0, (struct sockaddr *)&to.a, to.len);
		if (gap)
			usleep(gap);
	}
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int listen_at(int family, uint16_t port)
{
	struct where in = loopback(family, port);
	int sock = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int size = 4 << 20;

	setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(sock, (struct sockaddr *)&in.a, in.len) < 0)
		perror("bind");
	return sock;
}

/* Packets; their ways, in seconds, are added to *@ways. */
static unsigned drain(int sock, double *ways)
{
	char data[WIRE];
	unsigned n = 0;
	double sent;

	while (recv(sock, data, sizeof(data), 0) > 0) {
		memcpy(&sent, data, sizeof(sent));
		*ways += now() - sent;
		n++;
	}
	return n;
}

/* Bytes a second that each of @n classes gets while those of them whose bit is
 * in @who flood. */
static void measure(int family, unsigned n, unsigned who, double *got)
{
	unsigned count[4] = { 0 };
	pid_t pid[4] = { 0 };
	struct pollfd p[4];
	double start, stop, ways = 0;

	for (unsigned i = 0; i < n; i++) {
		p[i] = (struct pollfd){ listen_at(family, (uint16_t)(9000 + i)),
					POLLIN, 0 };
		if (who >> i & 1)
			pid[i] = flood(family, SHAPE_MARK(16 + i),
				       (uint16_t)(9000 + i), 0);
	}
	/* the first second is bursts */
	for (start = now(); now() < start + 1; poll(p, n, 100))
		for (unsigned i = 0; i < n; i++)
			drain(p[i].fd, &ways);
	for (start = now(); (stop = now()) < start + LOOK; poll(p, n, 100))
		for (unsigned i = 0; i < n; i++)
			count[i] += drain(p[i].fd, &ways);
	for (unsigned i = 0; i < n; i++) {
		got[i] = count[i] * (double)WIRE / (stop - start);
		if (pid[i])
			end(pid[i]);
		close(p[i].fd);
	}
}

/* Within one class a flow that floods waits behind itself, and one of few packets
 * behind nobody (fq_codel, RFC 8290): how long the way of a packet of each is, in
 * seconds, in the mean. */
static void beside_a_flood(double *flooded, double *sparse)
{
	pid_t pid[2] = { flood(AF_INET, SHAPE_MARK(16), 9000, 0),
			 flood(AF_INET, SHAPE_MARK(16), 9001, 50000) };
	struct pollfd p[2] = { { listen_at(AF_INET, 9000), POLLIN, 0 },
			       { listen_at(AF_INET, 9001), POLLIN, 0 } };
	double start = now(), ways[2] = { 0 };
	unsigned count[2] = { 0 };
	bool warm = false;

	for (; now() < start + 1 + LOOK; poll(p, 2, 100)) {
		if (!warm && now() >= start + 1) {
			warm = true;
			memset(ways, 0, sizeof(ways));
			memset(count, 0, sizeof(count));
		}
		for (int i = 0; i < 2; i++)
			count[i] += drain(p[i].fd, &ways[i]);
	}
	for (int i = 0; i < 2; i++) {
		end(pid[i]);
		close(p[i].fd);
	}
	*flooded = ways[0] / count[0];
	*sparse = ways[1] / count[1];
}

/* Within three parts in a hundred. */
static bool near(double got, double want)
{
	return got > want * 0.97 && got < want * 1.03;
}

static bool none_wanted(void *arg, uint32_t class)
{
	*(unsigned *)arg |= 1u << (class - 16);
	return false;
}

static bool all_wanted(void *arg, uint32_t class)
{
	*(unsigned *)arg |= 1u << (class - 16);
	return true;
}

static void raise_lo(void)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int sock = socket(AF_INET, SOCK_DGRAM, 0);

	ioctl(sock, SIOCSIFFLAGS, &r);
	close(sock);
}

int main(void)
{
	struct rate none = { 0, 0 }, small = { 100000, 100000 };
	struct rate lends = { 300000, 1200000 }, big = { 900000, 1200000 };
	unsigned seen = 0;
	double got[4], flooded, sparse;
	int r;

	raise_lo();
	shape_open("lo", ALL);
	is(shape_drop(16) == 0, "nothing to take away is no error");
	r = shape_set(16, &small, &none);
	is(r == 0, "a class is made (%d)", r);
	measure(AF_INET, 1, 1, got);
	is(near(got[0], 100000), "and passes its rate: %.0f of 100000", got[0]);
	small.rate = small.ceil = 250000;
	is(shape_set(16, &small, &none) == 0, "it is changed");
	measure(AF_INET, 1, 1, got);
	is(near(got[0], 250000), "at once: %.0f of 250000", got[0]);
	measure(AF_INET6, 1, 1, got);
	is(near(got[0], 250000), "by IPv6 it is the same: %.0f of 250000", got[0]);
	beside_a_flood(&flooded, &sparse);
	is(flooded > 0.1, "a flow that floods waits behind itself: %.0f ms",
	   flooded * 1000);
	is(sparse < flooded / 4, "one of few packets does not: %.0f ms",
	   sparse * 1000);

	is(shape_set(17, &lends, &none) == 0 && shape_set(18, &big, &none) == 0,
	   "two more");
	measure(AF_INET, 3, 2, got);
	is(near(got[1], 1200000), "one borrows what is idle, up to its ceiling:"
				  " %.0f of 1200000", got[1]);
	measure(AF_INET, 3, 7, got);
	is(near(got[0], 250000), "when all want it the first has its own: %.0f",
	   got[0]);
	is(got[1] >= 300000 * 0.97, "the second at least its own: %.0f", got[1]);
	is(got[2] >= 900000 * 0.97, "the third too: %.0f", got[2]);
	is(near(got[0] + got[1] + got[2], ALL), "and together all there is: %.0f",
	   got[0] + got[1] + got[2]);

	is(shape_drop(17) == 0 && shape_drop(17) == 0, "one goes, and is gone");
	shape_open("lo", ALL); /* a new life */
	shape_adopt(all_wanted, &seen);
	is(seen == 5, "a new life finds those that are there (%x)", seen);
	is(shape_set(18, &small, &none) == 0, "and changes them");
	measure(AF_INET, 3, 4, got);
	is(near(got[2], 250000), "as it should: %.0f of 250000", got[2]);
	shape_open("lo", ALL);
	seen = 0;
	shape_adopt(none_wanted, &seen);
	shape_adopt(all_wanted, &seen);
	seen = 0;
	shape_adopt(all_wanted, &seen);
	is(seen == 0, "those that nobody has go (%x)", seen);
	is(shape_set(16, &none, &none) == 0, "no bandwidth is no class");
	printf("1..%d\n", tests);
	return 0;
}
