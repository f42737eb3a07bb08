// SPDX-License-Identifier: Apache-2.0
/* What the kernel counts per user: the same number in two VEs is two users, and one takes nothing of the other's. */
#include "iso.h"

#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY 100000 /* more than any of these has */

static int take_inotify(void)
{
	return iso_errno(inotify_init1(IN_CLOEXEC));
}

static int take_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return iso_errno(sigqueue(getpid(), SIGRTMIN, (union sigval){ 0 }));
}

/* Bytes of queues: each stays, under a name of its own. */
static int take_queue(void)
{
	struct mq_attr attr = { .mq_maxmsg = 8, .mq_msgsize = 8192 };
	static int n;
	char name[32];

	snprintf(name, sizeof(name), "/q-%d-%d", getpid(), n++);
	return iso_errno(mq_open(name, O_CREAT | O_RDWR, 0600, &attr));
}

/* A descriptor on its way counts for who sends it: over a socket that nobody reads, a thousandfold. */
static int take_in_flight(void)
{
	enum { EACH = 250 };
	static int pair[2] = { -1, -1 };
	static unsigned int sent;
	union {
		char buf[CMSG_SPACE(EACH * sizeof(int))];
		struct cmsghdr align;
	} u = { 0 };
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.buf, .msg_controllen = sizeof(u.buf) };
	int fds[EACH];

	if (sent++ % 64 == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return errno;
	for (int i = 0; i < EACH; i++)
		fds[i] = 0;
	CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
	CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), fds, sizeof(fds));
	return iso_errno(sendmsg(pair[0], &m, MSG_DONTWAIT));
}

static const struct {
	int (*take)(void);
	int end; /* errno once there is no more */
} kinds[] = {
	{ take_inotify, EMFILE },
	{ take_signal, EAGAIN },
	{ take_queue, EMFILE },
	{ take_in_flight, ETOOMANYREFS },
};

/* Left running in VE A as its root: all of each kind, then a file that says so. */
static int take_all(void)
{
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		int e = 0;

		for (int i = 0; i < MANY && !e; i++)
			e = kinds[k].take();
		if (e != kinds[k].end) {
			dprintf(2, "# kind %zu ends with %s\n", k, strerror(e));
			return BROKEN;
		}
	}
	close(open("/tmp/taken", O_CREAT | O_WRONLY, 0644));
	for (;;)
		pause();
}

static const struct iso_row rows[] = {
	{ .probe = take_all },
	/* A VE's users share what the node gives the VE as one user. */
	{ "an inotify instance when VE A's root has all of its own", NULL, take_inotify, { 0, EMFILE, EMFILE, 0 } },
	{ "a queued signal when VE A's root has all of its own", NULL, take_signal, { 0, EAGAIN, EAGAIN, 0 } },
	{ "a message queue when VE A's root has all of its own", NULL, take_queue, { 0, EMFILE, EMFILE, 0 } },
	{ "descriptors in flight when VE A's root has all of its own", NULL, take_in_flight, { 0, ETOOMANYREFS, 0, 0 } },
};

static void setup(void)
{
	static char *ready[] = { "/bin/sh", "-c", "until [ -e /tmp/taken ]; do sleep 0.1; done", NULL };
	struct pollfd p[2] = { { .fd = iso_leave(take_all), .events = POLLIN }, { .events = POLLIN } };

	p[1].fd = env_run(&iso_a, ready);
	if (p[1].fd < 0 || poll(p, 2, 120000) < 1 || p[0].revents)
		die("VE A's root could not take all");
	close(p[1].fd);
}

int main(int argc, char **argv)
{
	return iso_main(argc, argv, ISO_ROWS(rows), setup);
}
