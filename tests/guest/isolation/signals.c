// SPDX-License-Identifier: Apache-2.0
/*
 * Signals that no process sends: of descriptors, queues, timers, terminals and parents.  Each comes to who asked for it
 * inside one world, and never from one into another.
 */
#include "iso.h"

#include <aio.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	FD_OWNED = FD_MORE,	/* a socket that VE A's root opened: what answers is in VE A */
	FD_NODES_QUEUE,		/* a POSIX queue that the node opened */
	FD_VES_QUEUE,		/* one that VE A's root opened */
	FD_MOURNER		/* to a process of VE A whose parent was on the node */
};

#define VES_QUEUE "/owned"

static void block(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* 0 once @sig has come; who could not have it any more is told EPERM. */
static int has_come(int sig)
{
	sigset_t set;

	sigpending(&set);
	return sigismember(&set, sig) ? 0 : EPERM;
}

static int wait_for(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return sigtimedwait(&set, NULL, &(struct timespec){ .tv_sec = 20 }) == sig ? 0 : EPERM;
}

/* What the helper on the node does, for descriptors of VE A and of the probe's own. */
static void answer_on(int sock)
{
	mqd_t q;
	char c;

	while (read(sock, &c, 1) == 1) {
		q = c == 'q' ? mq_open(VES_QUEUE, O_WRONLY | O_NONBLOCK) : -1;
		mq_send(q, "x", 1, 0);
		mq_close(q);
		if (send(sock, "x", 1, c == 'u' ? MSG_OOB : 0) != 1)
			break;
	}
	_exit(0);
}

static int ask(int sock, char c)
{
	struct pollfd p = { .fd = sock, .events = c == 'u' ? POLLPRI : POLLIN };

	if (write(sock, &c, 1) != 1 || poll(&p, 1, 10000) != 1)
		return BROKEN;
	return recv(sock, &c, 1, c == 'u' ? MSG_OOB : 0) == 1 ? 0 : BROKEN;
}

/* Who was let in leads a session already. */
static int lead_session(void)
{
	return getsid(0) == getpid() || setsid() > 0 ? 0 : -1;
}

/* ---- descriptors --------------------------------------------------------- */

enum how { BY_OWN, BY_TASK, BY_GROUP, BY_IOCTL, BY_SIG, BY_URGENT };

static int name_owner(int fd, enum how how)
{
	struct f_owner_ex task = { F_OWNER_TID, (pid_t)syscall(SYS_gettid) }, group = { F_OWNER_PGRP, getpid() };
	int pid = getpid();

	switch (how) {
	case BY_TASK:
		return fcntl(fd, F_SETOWN_EX, &task);
	case BY_GROUP:
		return lead_session() ?: fcntl(fd, F_SETOWN_EX, &group);
	case BY_IOCTL:
		return ioctl(fd, FIOSETOWN, &pid);
	case BY_SIG:
		return fcntl(fd, F_SETSIG, SIGRTMIN) ? -1 : fcntl(fd, F_SETOWN, pid);
	case BY_OWN:
	case BY_URGENT:
		return fcntl(fd, F_SETOWN, pid);
	}
	return -1;
}

/*
 * Does a signal tell of what comes on @fd?  A reader may be awake before it is sent, but it has been when the other end
 * answers once more.
 */
static int await(int fd, enum how how)
{
	int sig = how == BY_URGENT ? SIGURG : how == BY_SIG ? SIGRTMIN : SIGIO, err;

	block(sig);
	if (name_owner(fd, how) || fcntl(fd, F_SETFL, how == BY_URGENT ? 0 : O_ASYNC))
		return BROKEN;
	err = ask(fd, how == BY_URGENT ? 'u' : 'g') ?: ask(fd, 'g');
	fcntl(fd, F_SETFL, 0);
	fcntl(fd, F_SETSIG, 0);
	fcntl(fd, F_SETOWN, 0);
	return err ?: has_come(sig);
}

static int await_own(enum how how)
{
	int pair[2], child, err;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return BROKEN;
	signal(SIGIO, SIG_IGN); /* what answers may be of the group; one that is blocked comes all the same */
	child = fork();
	if (!child) {
		close(pair[0]);
		answer_on(pair[1]);
	}
	err = await(pair[0], how);
	kill(child, SIGKILL);
	return waitpid(child, NULL, 0) == child ? err : BROKEN;
}

#define AWAIT(how)                               \
	static int nodes_##how(void)             \
	{                                        \
		return await(FD_HELPER, how);    \
	}                                        \
	static int ves_##how(void)               \
	{                                        \
		return await(FD_OWNED, how);     \
	}                                        \
	static int own_##how(void)               \
	{                                        \
		return await_own(how);           \
	}
AWAIT(BY_OWN)
AWAIT(BY_TASK)
AWAIT(BY_GROUP)
AWAIT(BY_IOCTL)
AWAIT(BY_SIG)
AWAIT(BY_URGENT)

/* ---- queues -------------------------------------------------------------- */

static int be_notified(mqd_t q, int sock)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	char buf[8192];
	int err;

	block(SIGUSR1);
	if (mq_notify(q, &ev))
		return errno;
	err = ask(sock, 'q');
	mq_receive(q, buf, sizeof(buf), NULL);
	mq_notify(q, NULL);
	return err ?: has_come(SIGUSR1);
}

static int notice_of_nodes_queue(void)
{
	return be_notified(FD_NODES_QUEUE, FD_HELPER);
}

static int notice_of_ves_queue(void)
{
	return be_notified(FD_VES_QUEUE, FD_OWNED);
}

static int notice_of_own_queue(void)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	mqd_t q = mq_open("/probe", O_CREAT | O_RDWR, 0600, &attr);
	int child;

	mq_unlink("/probe");
	block(SIGUSR1);
	if (mq_notify(q, &ev))
		return errno;
	child = fork();
	if (!child)
		_exit(mq_send(q, "x", 1, 0) != 0);
	return waitpid(child, NULL, 0) == child ? has_come(SIGUSR1) : BROKEN;
}

/* ---- timers, and the end of asynchronous I/O ------------------------------ */

static int set_timer_for(int tid, timer_t *t)
{
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };

	ev._sigev_un._tid = tid;
	return iso_errno(timer_create(CLOCK_MONOTONIC, &ev, t));
}

static int timer_for_itself(void)
{
	struct itimerspec soon = { .it_value = { .tv_nsec = 1000000 } };
	timer_t t;
	int err;

	block(SIGUSR1);
	err = set_timer_for((int)syscall(SYS_gettid), &t);
	if (err || timer_settime(t, 0, &soon, NULL))
		return err ?: BROKEN;
	return wait_for(SIGUSR1);
}

/* To any thread but its own: no number will do, on the node as little. */
static int timer_for_others(void)
{
	struct iso_processes p;
	timer_t t;

	if (!iso_processes(&p))
		return BROKEN;
	for (int tid = 1; tid <= p.highest; tid++)
		if (tid != getpid() && !set_timer_for(tid, &t))
			return 0;
	return EINVAL;
}

static int end_of_own_io(void)
{
	char name[] = "/tmp/aio-XXXXXX";
	struct aiocb cb = { .aio_fildes = mkstemp(name), .aio_buf = "x", .aio_nbytes = 1 };

	unlink(name);
	cb.aio_sigevent.sigev_notify = SIGEV_SIGNAL;
	cb.aio_sigevent.sigev_signo = SIGUSR1;
	block(SIGUSR1);
	if (aio_write(&cb))
		return errno;
	return wait_for(SIGUSR1);
}

/* ---- terminals ------------------------------------------------------------ */

/* A new session with a terminal of its own; its other end. */
static int take_terminal(int *slave)
{
	int m = open("/dev/ptmx", O_RDWR | O_NOCTTY), unlock = 0;

	if (m < 0 || ioctl(m, TIOCSPTLCK, &unlock) || lead_session())
		return -1;
	*slave = ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	return *slave < 0 || ioctl(*slave, TIOCSCTTY, 0) ? -1 : m;
}

static int interrupt_foreground(void)
{
	int s, m = take_terminal(&s), child, status, ready[2];
	char c;

	if (m < 0 || pipe(ready))
		return BROKEN;
	signal(SIGTTOU, SIG_IGN);
	child = fork();
	if (!child) {
		setpgid(0, 0);
		write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	if (read(ready[0], &c, 1) != 1 || tcsetpgrp(s, child) || write(m, "\3", 1) != 1)
		return BROKEN;
	return waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT ? 0 : EPERM;
}

/* Is there a group of processes, other than those that the probe's world has, which the terminal knows of? */
static bool names_other(int terminal)
{
	struct iso_processes p;

	if (!iso_processes(&p))
		return true;
	for (int pid = 1; pid <= p.highest; pid++) {
		bool own = pid == getpid();

		for (int i = 0; i < p.nr; i++)
			own |= p.own[i] == pid;
		if (!own && (!ioctl(terminal, TIOCSPGRP, &pid) || errno != ESRCH))
			return true;
	}
	return false;
}

static int foreground_outside(void)
{
	int s, m = take_terminal(&s);

	if (m < 0)
		return BROKEN;
	/* A group whose leader has ended keeps its number until the last of it is gone. */
	for (int i = 0; i < 100 && names_other(s); i++)
		if (i == 99 || poll(NULL, 0, 20))
			return 0;
	return ESRCH;
}

/* ---- parents --------------------------------------------------------------- */

static int death_of_own_parent(void)
{
	int p[2], q[2], child, err = BROKEN;

	if (pipe(p) || pipe(q))
		return BROKEN;
	child = fork();
	if (!child) {
		if (fork()) {
			if (read(p[0], &err, sizeof(err)) != sizeof(err))
				_exit(1);
			_exit(0);
		}
		block(SIGUSR1);
		prctl(PR_SET_PDEATHSIG, SIGUSR1);
		write(p[1], &err, sizeof(err));
		err = wait_for(SIGUSR1);
		write(q[1], &err, sizeof(err));
		_exit(0);
	}
	return waitpid(child, NULL, 0) == child && read(q[0], &err, sizeof(err)) == sizeof(err) ? err : BROKEN;
}

/* Left running in VE A by a process of the node that has ended since. */
static int mourn(void)
{
	int err;
	char c;

	block(SIGUSR1);
	if (prctl(PR_SET_PDEATHSIG, SIGUSR1) || write(FD_MOURNER, "m", 1) != 1)
		return BROKEN;
	while (read(FD_MOURNER, &c, 1) == 1) {
		err = has_come(SIGUSR1);
		write(FD_MOURNER, &err, sizeof(err));
	}
	return 0;
}

static int death_of_who_let_in(void)
{
	int err;

	return write(FD_MOURNER, "q", 1) == 1 && read(FD_MOURNER, &err, sizeof(err)) == sizeof(err) ? err : BROKEN;
}

/* ---- what is left running in VE A ------------------------------------------ */

static void hand_over(int sock, int fd)
{
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = { 0 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.buf, .msg_controllen = sizeof(u.buf) };

	CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
	CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof(fd));
	if (sendmsg(sock, &m, 0) != 1)
		_exit(1);
}

static int taken_over(int sock)
{
	char c;
	struct iovec iov = { .iov_base = &c, .iov_len = 1 };
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.buf, .msg_controllen = sizeof(u.buf) };
	int fd;

	if (recvmsg(sock, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		die("VE A's descriptor");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

/* A socket and a queue of VE A's, handed to the node over a Unix socket. */
static int own_descriptors(void)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	mqd_t q = mq_open(VES_QUEUE, O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attr);
	int pair[2];

	if (q < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return BROKEN;
	hand_over(FD_OWNED, pair[0]);
	hand_over(FD_OWNED, q);
	close(pair[0]);
	answer_on(pair[1]);
	return 0;
}

static const struct iso_row rows[] = {
	{ .probe = own_descriptors },
	{ .probe = mourn },
#define HEARD(what, how)                                                                                 \
	{ what " of a descriptor that the node opened", "sigio", nodes_##how, { 0, EPERM, EPERM, EPERM } }, \
	{ what " of one that VE A opened and passed on", "sigio", ves_##how, { EPERM, 0, 0, EPERM } },     \
	{ what " of one that it opened itself", NULL, own_##how, { 0, 0, 0, 0 } }
	HEARD("SIGIO by F_SETOWN", BY_OWN),
	HEARD("SIGIO by F_SETOWN_EX for a thread", BY_TASK),
	HEARD("SIGIO by F_SETOWN_EX for a group", BY_GROUP),
	HEARD("SIGIO by FIOSETOWN", BY_IOCTL),
	HEARD("a signal by F_SETSIG", BY_SIG),
	HEARD("SIGURG", BY_URGENT),
	{ "notice of a queue that the node opened", "sigio", notice_of_nodes_queue, { 0, EPERM, EPERM, EPERM } },
	{ "notice of one that VE A opened and passed on", "sigio", notice_of_ves_queue, { EPERM, 0, 0, EPERM } },
	{ "notice of one that it opened itself", NULL, notice_of_own_queue, { 0, 0, 0, 0 } },
	{ "a timer that signals its own thread", NULL, timer_for_itself, { 0, 0, 0, 0 } },
	{ "a timer that signals another's", NULL, timer_for_others, { EINVAL, EINVAL, EINVAL, EINVAL } },
	{ "a signal at the end of its own asynchronous I/O", NULL, end_of_own_io, { 0, 0, 0, 0 } },
	{ "interrupting the foreground of its own terminal", NULL, interrupt_foreground, { 0, 0, 0, 0 } },
	{ "a group outside as the foreground of its terminal", NULL, foreground_outside, { 0, ESRCH, ESRCH, ESRCH } },
	{ "a signal by the death of its own parent", NULL, death_of_own_parent, { 0, 0, 0, 0 } },
	{ "one in VE A by the death of who let it in", NULL, death_of_who_let_in, { EPERM, NA, NA, NA } },
};

static void setup_mourner(void)
{
	int pair[2], mediator;
	char c;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair");
	iso_replace(FD_MOURNER, pair[1]);
	mediator = fork();
	if (!mediator) {
		iso_leave(mourn);
		_exit(read(pair[0], &c, 1) != 1);
	}
	if (waitpid(mediator, NULL, 0) != mediator)
		die("mediator");
	iso_replace(FD_MOURNER, pair[0]);
}

static void setup(void)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	int pair[2];

	iso_replace(FD_NODES_QUEUE, mq_open(ISO_QUEUE, O_CREAT | O_RDWR | O_NONBLOCK, 0666, &attr));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair");
	iso_replace(FD_OWNED, pair[1]);
	iso_leave(own_descriptors);
	iso_replace(FD_OWNED, taken_over(pair[0]));
	iso_replace(FD_VES_QUEUE, taken_over(pair[0]));
	setup_mourner();
}

int main(int argc, char **argv)
{
	return iso_main(argc, argv, ISO_ROWS(rows), setup);
}
