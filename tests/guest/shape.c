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

#define PAYLOAD 958 /* 1000 with UDP, IPv4 and Ethernet before it */
#define WIRE 1000
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

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Sends as fast as it may, until it is killed. */
static pid_t flood(uint32_t mark, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	static char data[PAYLOAD];
	pid_t pid = fork();
	int sock;

	if (pid)
		return pid;
	sock = socket(AF_INET, SOCK_DGRAM, 0);
	if (setsockopt(sock, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0)
		_exit(1);
	/* a full socket waits for the queue, which is what paces it */
	for (;;)
		sendto(sock, data, sizeof(data), 0, (struct sockaddr *)&to,
		       sizeof(to));
}

static int listen_at(uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int size = 4 << 20;

	setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(sock, (struct sockaddr *)&in, sizeof(in)) < 0)
		perror("bind");
	return sock;
}

static unsigned drain(int sock)
{
	char data[PAYLOAD];
	unsigned n = 0;

	while (recv(sock, data, sizeof(data), 0) > 0)
		n++;
	return n;
}

/* Bytes a second that each of @n classes gets while those of them whose bit is
 * in @who flood. */
static void measure(unsigned n, unsigned who, double *got)
{
	unsigned count[4] = { 0 };
	pid_t pid[4] = { 0 };
	struct pollfd p[4];
	double start, end;

	for (unsigned i = 0; i < n; i++) {
		p[i] = (struct pollfd){ listen_at((uint16_t)(9000 + i)), POLLIN, 0 };
		if (who >> i & 1)
			pid[i] = flood(SHAPE_MARK(16 + i), (uint16_t)(9000 + i));
	}
	/* the first second is bursts */
	for (start = now(); now() < start + 1; poll(p, n, 100))
		for (unsigned i = 0; i < n; i++)
			drain(p[i].fd);
	for (start = now(); (end = now()) < start + LOOK; poll(p, n, 100))
		for (unsigned i = 0; i < n; i++)
			count[i] += drain(p[i].fd);
	for (unsigned i = 0; i < n; i++) {
		got[i] = count[i] * (double)WIRE / (end - start);
		if (pid[i]) {
			kill(pid[i], SIGKILL);
			waitpid(pid[i], NULL, 0);
		}
		close(p[i].fd);
	}
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
	double got[4];
	int r;

	raise_lo();
	shape_open("lo", ALL);
	is(shape_drop(16) == 0, "nothing to take away is no error");
	r = shape_set(16, &small, &none);
	is(r == 0, "a class is made (%d)", r);
	measure(1, 1, got);
	is(near(got[0], 100000), "and passes its rate: %.0f of 100000", got[0]);
	small.rate = small.ceil = 250000;
	is(shape_set(16, &small, &none) == 0, "it is changed");
	measure(1, 1, got);
	is(near(got[0], 250000), "at once: %.0f of 250000", got[0]);

	is(shape_set(17, &lends, &none) == 0 && shape_set(18, &big, &none) == 0,
	   "two more");
	measure(3, 2, got);
	is(near(got[1], 1200000), "one borrows what is idle, up to its ceiling:"
				  " %.0f of 1200000", got[1]);
	measure(3, 7, got);
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
	measure(3, 4, got);
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
