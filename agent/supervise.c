// SPDX-License-Identifier: Apache-2.0
/*
 * The supervisor: starts the parts, connects them with each other, starts those
 * again that die, and keeps what they asked it to keep.  It reads nothing that
 * comes from outside the node.
 */
#include "agent/part.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/fdstore.h"
#include "agent/keep.h"
#include "agent/libve/clean.h"
#include "agent/libve/front.h"
#include "agent/libve/log.h"
#include "agent/libve/mono.h"
#include "agent/msg.h"

#define BACKOFF_MIN 200
#define BACKOFF_MAX 10000
#define HEALTHY_MS 10000 /* one that lived as long starts again at once */
#define END_MS 5000 /* for the parts to end */

enum { PRIV, API, TERM, NPARTS };

struct part {
	const char *name;
	pid_t pid; /* 0: not running */
	int sock;
	int64_t started, due; /* ms; due: when to start it */
	int backoff;
	struct keep keep;
};

struct supervisor {
	const struct conf *conf;
	struct part parts[NPARTS];
	int listen_fd, ctl_fd, signal_fd;
	bool ending;
};

static void send_link(struct part *p, enum msg_link what, int fd)
{
	struct msg_link_is m = { .head.type = MSG_LINK, .what = what };
	int r = msg_send(p->sock, &m, &fd, 1);

	if (r < 0)
		log_warn("%s does not take a link: %s", p->name, strerror(-r));
}

/* Give api and @other, both running, a fresh line to each other. */
static void connect_parts(struct supervisor *s, int other)
{
	struct timeval limit = { .tv_sec = 5 };
	int sv[2], size = 1 << 20;

	if (!s->parts[API].pid || !s->parts[other].pid)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0) {
		log_err("socketpair: %s", strerror(errno));
		return;
	}
	for (int i = 0; i < 2; i++) {
		setsockopt(sv[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		setsockopt(sv[i], SOL_SOCKET, SO_SNDTIMEO, &limit,
			   sizeof(limit));
	}
	send_link(&s->parts[other], LINK_API, sv[0]);
	send_link(&s->parts[API], other == PRIV ? LINK_PRIV : LINK_TERM, sv[1]);
	close(sv[0]);
	close(sv[1]);
}

static void run_child(struct supervisor *s, struct part *p, int sock)
{
	char *argv[] = { (char *)"ve-agentd",	(char *)"-P",
			 (char *)p->name,	(char *)"-c",
			 (char *)s->conf->file, NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (sock == PART_SOCK)
		fcntl(sock, F_SETFD, 0);
	else if (dup2(sock, PART_SOCK) < 0)
		_exit(1);
	execv("/proc/self/exe", argv);
	_exit(127);
}

static void start_part(struct supervisor *s, int which)
{
	struct timeval limit = { .tv_sec = 5 };
	struct part *p = &s->parts[which];
	int sv[2];

	p->due = mono_ms() + p->backoff;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return;
	p->pid = fork();
	if (p->pid == 0)
		run_child(s, p, sv[1]);
	close(sv[1]);
	if (p->pid < 0) {
		log_err("fork: %s", strerror(errno));
		p->pid = 0;
		close(sv[0]);
		return;
	}
	p->sock = sv[0];
	p->started = mono_ms();
	/* a part that does not read must not stop us */
	setsockopt(p->sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (which != API && keep_replay(&p->keep, p->sock) < 0)
		kill(p->pid, SIGKILL);
	if (which == API && s->listen_fd >= 0)
		send_link(p, LINK_LISTEN, s->listen_fd);
	if (which == API)
		send_link(p, LINK_CTL, s->ctl_fd);
	if (which == API || which == PRIV)
		connect_parts(s, PRIV);
	if (which == API || which == TERM)
		connect_parts(s, TERM);
}

static void drop(struct part *p, uint64_t key)
{
	const struct keep_entry *e = keep_find(&p->keep, key);

	if (e)
		fdstore_drop(p->name, e);
	keep_drop(&p->keep, key);
}

static int keep(struct part *p, struct msg *m)
{
	uint64_t key = m->m.keep.key;
	int r;

	drop(p, key);
	r = keep_put(&p->keep, m);
	if (r == 0)
		fdstore_put(p->name, keep_find(&p->keep, key));
	return r;
}

/* One message, unless none is there. */
static int take_message(struct part *p)
{
	struct msg m _msg_ = { .nfds = 0 };
	int r = msg_recv_now(p->sock, &m);

	if (r == 0 && m.m.head.type == MSG_KEEP)
		r = keep(p, &m);
	else if (r == 0 && m.m.head.type == MSG_DROP)
		drop(p, m.m.keep.key);
	else if (r == 0)
		r = -EBADMSG;
	if (r != -ENOSPC)
		return r;
	log_warn("part %s keeps too much", p->name);
	return 0;
}

static void on_part(struct part *p)
{
	int r = take_message(p);

	if (r == -EPIPE) {
		/* its death is about to be reported */
		clean_close(&p->sock);
		p->sock = -1;
	} else if (r < 0 && r != -EAGAIN) {
		log_err("part %s sent what it may not: ending it", p->name);
		kill(p->pid, SIGKILL);
	}
}

/* What it gave us to keep before it died, its next life is to get. */
static void drain(struct part *p)
{
	while (p->sock >= 0 && take_message(p) == 0)
		continue;
	clean_close(&p->sock);
	p->sock = -1;
}

static void part_died(struct supervisor *s, struct part *p, int status)
{
	int64_t lived = mono_ms() - p->started;

	if (!s->ending)
		log_err("part %s %s %d after %lld ms: starting it again",
			p->name,
			WIFSIGNALED(status) ? "died of signal" : "exited with",
			WIFSIGNALED(status) ? WTERMSIG(status)
					    : WEXITSTATUS(status),
			(long long)lived);
	p->pid = 0;
	drain(p);
	if (lived >= HEALTHY_MS)
		p->backoff = 0;
	else
		p->backoff = p->backoff ? p->backoff * 2 : BACKOFF_MIN;
	if (p->backoff > BACKOFF_MAX)
		p->backoff = BACKOFF_MAX;
	p->due = mono_ms() + p->backoff;
}

static void reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < NPARTS; i++)
			if (s->parts[i].pid == pid)
				part_died(s, &s->parts[i], status);
}

/* api may not read the files: it gets them opened. */
static void renew(struct supervisor *s)
{
	const char *const files[] = { s->conf->cert, s->conf->key,
				      s->conf->ca };
	struct msg_link_is m = { .head.type = MSG_CERTS };
	int fds[3] = { -1, -1, -1 }, r = s->parts[API].pid ? 0 : -ESRCH;

	if (!s->conf->listen[0])
		return;
	for (int i = 0; r == 0 && i < 3; i++) {
		fds[i] = open(files[i], O_RDONLY | O_CLOEXEC);
		if (fds[i] < 0) {
			r = -errno;
			log_err("%s: %s", files[i], strerror(errno));
		}
	}
	if (r == 0)
		r = msg_send(s->parts[API].sock, &m, fds, 3);
	/* an api that is not there reads them when it starts */
	if (r < 0 && r != -ESRCH)
		log_err("the certificates stay as they were: %s", strerror(-r));
	for (int i = 0; i < 3; i++)
		clean_close(&fds[i]);
}

static void take_signals(struct supervisor *s)
{
	struct signalfd_siginfo si;

	while (read(s->signal_fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			reap(s);
		else if (si.ssi_signo == SIGHUP)
			renew(s);
		else
			s->ending = true;
	}
}

/* Start what is due; how long until the next, -1 for nothing to wait for. */
static int start_due(struct supervisor *s)
{
	int64_t now = mono_ms(), wait = -1;

	for (int i = 0; i < NPARTS; i++) {
		struct part *p = &s->parts[i];

		if (p->pid)
			continue;
		if (p->due <= now)
			start_part(s, i);
		if (!p->pid && (wait < 0 || p->due - now < wait))
			wait = p->due > now ? p->due - now : 1;
	}
	return (int)wait;
}

static void loop(struct supervisor *s)
{
	while (!s->ending) {
		int wait = start_due(s);
		struct pollfd p[NPARTS + 1];

		for (int i = 0; i < NPARTS; i++)
			p[i] = (struct pollfd){ .fd = s->parts[i].sock,
						.events = POLLIN };
		p[NPARTS] =
			(struct pollfd){ .fd = s->signal_fd, .events = POLLIN };
		if (poll(p, NPARTS + 1, wait) <= 0)
			continue;
		for (int i = 0; i < NPARTS; i++)
			if (p[i].revents)
				on_part(&s->parts[i]);
		if (p[NPARTS].revents)
			take_signals(s);
	}
}

static bool any_left(const struct supervisor *s)
{
	for (int i = 0; i < NPARTS; i++)
		if (s->parts[i].pid)
			return true;
	return false;
}

/* The parts end; the VEs do not notice. */
static void end_parts(struct supervisor *s)
{
	int64_t until = mono_ms() + END_MS;
	struct pollfd p = { .fd = s->signal_fd, .events = POLLIN };

	for (int i = 0; i < NPARTS; i++)
		if (s->parts[i].pid)
			kill(s->parts[i].pid, SIGTERM);
	while (any_left(s) && mono_ms() < until) {
		if (poll(&p, 1, (int)(until - mono_ms())) > 0)
			take_signals(s);
		reap(s);
	}
	for (int i = 0; i < NPARTS; i++)
		if (s->parts[i].pid)
			kill(s->parts[i].pid, SIGKILL);
	for (int i = 0; i < NPARTS; i++)
		keep_fini(&s->parts[i].keep);
}

static void make_dir(const char *path, mode_t mode, const char *user)
{
	const struct passwd *pw = user && geteuid() == 0 ? getpwnam(user)
							 : NULL;

	if (mkdir(path, mode) < 0 && errno != EEXIST)
		fatal("cannot make %s: %s", path, strerror(errno));
	if (pw && chown(path, pw->pw_uid, pw->pw_gid) < 0)
		fatal("cannot give %s to %s: %s", path, user, strerror(errno));
}

/* The directory that api lives in, below the state directory: systemd gives
 * that one, and all in it when its owner is another, to root at each start. */
static void make_state(const struct conf *c)
{
	static const char *const files[] = { "agent.db", "agent.db-wal" };
	char path[CONF_TEXT + 8], from[CONF_TEXT + 16], to[CONF_TEXT + 24];
	const struct passwd *pw = geteuid() == 0 ? getpwnam(c->user_api) : NULL;

	snprintf(path, sizeof(path), "%s/api", c->state_dir);
	make_dir(c->state_dir, 0700, NULL);
	make_dir(path, 0700, c->user_api);
	/* where versions before 0.1 had it */
	for (size_t i = 0; i < 2; i++) {
		snprintf(from, sizeof(from), "%s/%s", c->state_dir, files[i]);
		snprintf(to, sizeof(to), "%s/%s", path, files[i]);
		if (rename(from, to) == 0 && pw &&
		    lchown(to, pw->pw_uid, pw->pw_gid) < 0)
			log_warn("%s: %s", to, strerror(errno));
	}
}

static int open_ctl(const struct conf *c)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int n = snprintf(un.sun_path, sizeof(un.sun_path), "%s/ctl.sock",
			 c->run_dir);
	mode_t mask;

	if (fd < 0 || n >= (int)sizeof(un.sun_path))
		fatal("cannot make a socket in %s", c->run_dir);
	unlink(un.sun_path);
	mask = umask(0177);
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0 ||
	    listen(fd, 64) < 0)
		fatal("cannot listen on %s: %s", un.sun_path, strerror(errno));
	umask(mask);
	return fd;
}

static void open_all(struct supervisor *s)
{
	const struct conf *c = s->conf;
	struct rlimit files = { 65536, 65536 };
	char empty[CONF_TEXT + 8];
	struct err e = { 0 };
	sigset_t mask;

	if (setrlimit(RLIMIT_NOFILE, &files) < 0) {
		getrlimit(RLIMIT_NOFILE, &files);
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	snprintf(empty, sizeof(empty), "%s/empty", c->run_dir);
	make_dir(c->run_dir, 0755, NULL);
	make_dir(empty, 0755, NULL);
	make_state(c);
	s->ctl_fd = open_ctl(c);
	s->listen_fd = -1;
	if (c->listen[0]) {
		s->listen_fd = front_listen(c->listen, &e);
		if (s->listen_fd < 0)
			fatal("%s", e.text);
	}
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	s->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0)
		fatal("signalfd: %s", strerror(errno));
}

int supervise(const struct conf *c)
{
	struct supervisor s = {
		.conf = c,
		.parts = { { .name = "priv", .sock = -1 },
			   { .name = "api", .sock = -1 },
			   { .name = "term", .sock = -1 } },
	};

	for (int i = 0; i < NPARTS; i++)
		fdstore_restore(s.parts[i].name, &s.parts[i].keep);
	fdstore_done();
	open_all(&s);
	start_due(&s);
	fdstore_notify("READY=1", -1);
	log_info("node %s: supervising", c->node);
	loop(&s);
	end_parts(&s);
	return 0;
}
