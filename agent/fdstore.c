// SPDX-License-Identifier: Apache-2.0
#include "agent/fdstore.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"

#define FIRST 3 /* descriptors that systemd hands over begin here */

void fdstore_notify(const char *text, int fd)
{
	const char *path = getenv("NOTIFY_SOCKET");
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr h = { .msg_name = &un, .msg_iov = &iov, .msg_iovlen = 1 };
	int sock _close_ = -1;

	if (!path || !*path || strlen(path) >= sizeof(un.sun_path))
		return;
	strcpy(un.sun_path, path);
	h.msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				    strlen(path));
	if (un.sun_path[0] == '@')
		un.sun_path[0] = '\0';
	if (fd >= 0) {
		struct cmsghdr *c;

		h.msg_control = control;
		h.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || sendmsg(sock, &h, MSG_NOSIGNAL) < 0)
		log_warn("systemd does not listen: %s", strerror(errno));
}

static void put_one(const char *part, uint64_t key, unsigned n, int fd)
{
	char text[128];

	/* FDPOLL=0: a terminal that hung up is ours to drop */
	snprintf(text, sizeof(text),
		 "FDSTORE=1\nFDPOLL=0\nFDNAME=%s.%" PRIx64 ".%u", part, key, n);
	fdstore_notify(text, fd);
}

void fdstore_put(const char *part, const struct keep_entry *e)
{
	int memo _close_ = -1;

	if (!getenv("NOTIFY_SOCKET"))
		return;
	memo = memfd_create("ve-keep", MFD_CLOEXEC);
	if (memo < 0 || write(memo, &e->msg, sizeof(e->msg)) < 0)
		return;
	put_one(part, e->msg.key, 0, memo);
	for (unsigned i = 0; i < e->nfds; i++)
		put_one(part, e->msg.key, i + 1, e->fds[i]);
}

void fdstore_drop(const char *part, const struct keep_entry *e)
{
	char text[128];

	for (unsigned i = 0; i <= e->nfds; i++) {
		snprintf(text, sizeof(text),
			 "FDSTOREREMOVE=1\nFDNAME=%s.%" PRIx64 ".%u", part,
			 e->msg.key, i);
		fdstore_notify(text, -1);
	}
}

/* ---- at start -------------------------------------------------------------- */

static struct handed {
	int fd;
	char part[16];
	uint64_t key;
	unsigned n;
} * handed;

static unsigned nhanded;

static void read_handed(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");
	char *copy _free_ = xstrdup(names ? names : ""), *rest = copy, *name;
	long n = count ? strtol(count, NULL, 10) : 0;

	handed = xcalloc(1, sizeof(*handed));
	if (!pid || strtol(pid, NULL, 10) != getpid() || n < 1 || n > 65536)
		return;
	handed = xrealloc(handed, (size_t)n * sizeof(*handed));
	for (long i = 0; i < n; i++) {
		struct handed *h = &handed[nhanded];

		*h = (struct handed){ .fd = FIRST + (int)i };
		fcntl(h->fd, F_SETFD, FD_CLOEXEC);
		name = rest ? strsep(&rest, ":") : NULL;
		if (name && sscanf(name, "%15[a-z].%" SCNx64 ".%u", h->part,
				   &h->key, &h->n) == 3)
			nhanded++;
		else
			close(h->fd);
	}
}

static struct handed *find(const char *part, uint64_t key, unsigned n)
{
	for (unsigned i = 0; i < nhanded; i++)
		if (handed[i].fd >= 0 && handed[i].key == key &&
		    handed[i].n == n && !strcmp(handed[i].part, part))
			return &handed[i];
	return NULL;
}

static void restore_one(const char *part, struct keep *k, struct handed *memo)
{
	struct msg m = { .nfds = 0 };
	struct handed *h;

	if (pread(memo->fd, &m.m.keep, sizeof(m.m.keep), 0) != sizeof(m.m.keep))
		return;
	while (m.nfds < MSG_FDS && (h = find(part, memo->key, m.nfds + 1)))
		m.fds[m.nfds++] = take_fd(&h->fd);
	if (m.m.keep.key != memo->key || keep_put(k, &m) < 0)
		msg_fini(&m);
}

void fdstore_restore(const char *part, struct keep *k)
{
	if (!handed)
		read_handed();
	for (unsigned i = 0; i < nhanded; i++)
		if (handed[i].fd >= 0 && handed[i].n == 0 &&
		    !strcmp(handed[i].part, part))
			restore_one(part, k, &handed[i]);
}

void fdstore_done(void)
{
	for (unsigned i = 0; i < nhanded; i++)
		clean_close(&handed[i].fd);
	free(handed);
	handed = NULL;
	nhanded = 0;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}
