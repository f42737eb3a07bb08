// SPDX-License-Identifier: Apache-2.0
#include "agent/porting.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/api.h"
#include "agent/db.h"
#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/libve/wire.h"

#define WORKERS 4 /* of each line */
#define LINE_MAX 256
#define CONNECT_MS 10000

/* Two lines, so that no crowd before sleeping VEs stands in anybody's way who
 * wants one that is awake. */
static struct line {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct porting *first, **last;
	unsigned length;
} lines[2] = {
	{ PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, NULL, 0 },
	{ PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, NULL, 0 },
};

void porting_put(struct porting *p)
{
	if (!p || atomic_fetch_sub(&p->refs, 1) != 1)
		return;
	clean_close(&p->fd);
	free(p);
}

struct porting *porting_begin(uint32_t veid, uint16_t port, bool awake)
{
	struct line *l = &lines[awake];
	struct porting *p = NULL;

	pthread_mutex_lock(&l->lock);
	if (l->length < LINE_MAX) {
		p = xcalloc(1, sizeof(*p));
		*p = (struct porting){
			.refs = 2, .veid = veid, .port = port, .fd = -1
		};
		if (!l->first)
			l->last = &l->first;
		*l->last = p;
		l->last = &p->next;
		l->length++;
		pthread_cond_signal(&l->more);
	}
	pthread_mutex_unlock(&l->lock);
	return p;
}

static struct porting *take(struct line *l)
{
	struct porting *p;

	pthread_mutex_lock(&l->lock);
	while (!l->first)
		pthread_cond_wait(&l->more, &l->lock);
	p = l->first;
	l->first = p->next;
	l->length--;
	pthread_mutex_unlock(&l->lock);
	return p;
}

static void fail(struct porting *p, int status, const char *problem,
		 const char *detail)
{
	p->status = status;
	p->problem = problem;
	snprintf(p->detail, sizeof(p->detail), "%.150s", detail);
}

static bool awake(struct porting *p)
{
	struct ve v;

	switch (open_wake(p->veid, &v)) {
	case 0:
		return true;
	case TERM_CLOSE_NO_VE:
		fail(p, 404, "ve-not-found", "there is no such VE");
		return false;
	case TERM_CLOSE_SUSPENDED:
		fail(p, 403, "suspended", "the VE is suspended");
		return false;
	default:
		fail(p, 504, "wake-timeout", "the VE does not wake");
		return false;
	}
}

/* 0 when the socket is connected. */
static int await_connect(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int why = 0;

	if (poll(&p, 1, CONNECT_MS) <= 0)
		return -ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len) < 0)
		return -errno;
	return -why;
}

static void reach(struct porting *p)
{
	struct msg_ve m = { .head.type = MSG_PORT,
			    .veid = p->veid,
			    .arg = p->port };
	struct msg reply _msg_ = { .nfds = 0 };
	struct err e = { 0 };
	int r;

	db_sync(); /* its grant counts once, whatever happens */
	if (!awake(p))
		return;
	r = ask(&m, &reply, &e);
	if (r == 0 && reply.nfds == 1)
		r = await_connect(reply.fds[0]);
	if (r == 0 && reply.nfds == 1)
		p->fd = take_fd(&reply.fds[0]);
	else if (r == -EPIPE || r == -ESRCH)
		fail(p, 503, "not-ready", e.text);
	else
		fail(p, 502, "port-closed",
		     "nobody listens on that port of the VE");
}

static void *work(void *arg)
{
	for (;;) {
		struct porting *p = take(arg);
		uint32_t veid;

		reach(p);
		veid = p->veid;
		p->done = true;
		porting_put(p);
		http_wake(TOPIC_VE | veid);
	}
	return NULL;
}

void porting_start(void)
{
	pthread_t t;

	for (int i = 0; i < 2 * WORKERS; i++)
		if (pthread_create(&t, NULL, work, &lines[i % 2]))
			fatal("no thread for ports");
}
