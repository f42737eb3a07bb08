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
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/shm.h>
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

static int fork_within(rlim_t most, int *made)
{
	struct rlimit r = { most, most };
	int child;

	if (setrlimit(RLIMIT_NPROC, &r))
		return BROKEN;
	child = fork();
	if (!child)
		for (;;)
			pause();
	*made = child;
	return iso_errno(child);
}

static int take_process(void)
{
	return fork_within(60, &(int){ 0 });
}

/* The same limit for everybody, below what VE A's root has: others differ in whose processes count. */
static int one_process(void)
{
	int child, err = fork_within(40, &child);

	return err ?: iso_errno(kill(child, SIGKILL));
}

/* What mlock(2) locks counts for a process, a segment for its user; this one goes with who is attached to it. */
static int take_locked(void)
{
	struct rlimit r = { 4 << 20, 4 << 20 };
	int id = shmget(IPC_PRIVATE, 256 << 10, IPC_CREAT | 0600);

	if (id < 0 || shmat(id, NULL, 0) == (void *)-1 || shmctl(id, IPC_RMID, NULL) || setrlimit(RLIMIT_MEMLOCK, &r))
		return BROKEN;
	return iso_errno(shmctl(id, SHM_LOCK, NULL));
}

static int take_pipe(void)
{
	int p[2];

	if (pipe(p))
		return BROKEN;
	return iso_errno(fcntl(p[0], F_SETPIPE_SZ, 1 << 20));
}

/* Of the same files in one instance after the other. */
static int take_watch(void)
{
	enum { EACH = 50 };
	static int files[EACH], instance;
	static unsigned int watched;
	struct epoll_event e = { .events = EPOLLIN };

	if (watched % EACH == 0)
		instance = epoll_create1(0);
	if (watched < EACH)
		files[watched] = eventfd(0, 0);
	return iso_errno(epoll_ctl(instance, EPOLL_CTL_ADD, files[watched++ % EACH], &e));
}

static const struct {
	int (*take)(void);
	int end; /* errno once there is no more */
} kinds[] = {
	{ take_inotify, EMFILE },
	{ take_signal, EAGAIN },
	{ take_queue, EMFILE },
	{ take_in_flight, ETOOMANYREFS },
	{ take_locked, ENOMEM },
	{ take_pipe, EPERM },
	{ take_watch, ENOSPC },
	{ take_process, EAGAIN },
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
	{ "a locked segment when VE A's root has all of its own", NULL, take_locked, { 0, ENOMEM, 0, 0 } },
	{ "pages of a pipe when VE A's root has all of its own", NULL, take_pipe, { 0, EPERM, 0, 0 } },
	{ "an epoll watch when VE A's root has all of its own", NULL, take_watch, { 0, ENOSPC, 0, 0 } },
	{ "a process when VE A's root has all of its own", NULL, one_process, { 0, EAGAIN, 0, 0 } },
};

/* Otherwise a fourth of the memory would go into them. */
static void bound_watches(void)
{
	int fd = open("/proc/sys/fs/epoll/max_user_watches", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "2000", 4) != 4)
		die("max_user_watches");
	close(fd);
}

static void setup(void)
{
	static char *ready[] = { "/bin/sh", "-c", "until [ -e /tmp/taken ]; do sleep 0.1; done", NULL };
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };

	bound_watches();
	p[0].fd = iso_leave(take_all);
	p[1].fd = env_run(&iso_a, ready);
	if (p[1].fd < 0 || poll(p, 2, 120000) < 1 || p[0].revents)
		die("VE A's root could not take all");
	close(p[1].fd);
}

int main(int argc, char **argv)
{
	return iso_main(argc, argv, ISO_ROWS(rows), setup);
}
