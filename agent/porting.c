// SPDX-License-Identifier: Apache-2.0
#include "agent/porting.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/api.h"
#include "agent/db.h"
#include "agent/lanes.h"
#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/libve/mono.h"
#include "agent/libve/wire.h"

#define WORKERS 4 /* of each lane */
#define CONNECT_MS 10000
#define CONNECTS_ONE 32 /* that are awaited of one VE */

static struct lanes *lanes;

/* Connections that are awaited, each as long, so the oldest ends first. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;
	int epoll;
	TAILQ_HEAD(portings, porting) all;
} awaited = { .lock = PTHREAD_MUTEX_INITIALIZER,
	      .more = PTHREAD_COND_INITIALIZER,
	      .all = TAILQ_HEAD_INITIALIZER(awaited.all) };

void porting_put(struct porting *p)
{
	if (!p || atomic_fetch_sub(&p->refs, 1) != 1)
		return;
	clean_close(&p->fd);
	free(p);
}

struct porting *porting_begin(uint32_t veid, uint16_t port, bool awake)
{
	struct porting *p = xcalloc(1, sizeof(*p));

	*p = (struct porting){ .refs = 2, .veid = veid, .port = port, .fd = -1 };
	if (lanes_push(lanes, awake, veid, p))
		return p;
	free(p);
	return NULL;
}

static void fail(struct porting *p, int status, const char *problem,
		 const char *detail)
{
	clean_close(&p->fd);
	p->fd = -1;
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

/* It has what it will get. */
static void finish(struct porting *p)
{
	uint32_t veid = p->veid;

	p->done = true;
	porting_put(p);
	http_wake(TOPIC_VE | veid);
}

/* What has become of its connection; when it is not @ready, time is out. */
static void judge(struct porting *p, bool ready)
{
	socklen_t len = sizeof(int);
	int why = ETIMEDOUT;

	if (ready && getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &why, &len) < 0)
		why = errno;
	if (why)
		fail(p, 502, "port-closed",
		     "nobody listens on that port of the VE");
}

/* To the thread that awaits connections.  False when its VE has too many there. */
static bool await_connect(struct porting *p)
{
	struct epoll_event ev = { .events = EPOLLOUT, .data.ptr = p };
	struct porting *other;
	unsigned n = 0;
	bool room;

	pthread_mutex_lock(&awaited.lock);
	for (other = TAILQ_FIRST(&awaited.all); other;
	     other = TAILQ_NEXT(other, next))
		n += other->veid == p->veid;
	room = n < CONNECTS_ONE &&
	       !epoll_ctl(awaited.epoll, EPOLL_CTL_ADD, p->fd, &ev);
	if (room) {
		p->due = mono_ms() + CONNECT_MS;
		TAILQ_INSERT_TAIL(&awaited.all, p, next);
		pthread_cond_signal(&awaited.more);
	}
	pthread_mutex_unlock(&awaited.lock);
	if (!room)
		fail(p, 503, "capacity-exhausted",
		     "too many wait for a port of the VE");
	return room;
}

static void settle(struct porting *p, bool ready)
{
	pthread_mutex_lock(&awaited.lock);
	TAILQ_REMOVE(&awaited.all, p, next);
	pthread_mutex_unlock(&awaited.lock);
	epoll_ctl(awaited.epoll, EPOLL_CTL_DEL, p->fd, NULL);
	judge(p, ready);
	finish(p);
}

/* How long the one that waits longest may still wait; blocks while there is none.
 * Only this thread takes any away. */
static int time_left(void)
{
	struct porting *p;
	int64_t left;

	pthread_mutex_lock(&awaited.lock);
	while (!(p = TAILQ_FIRST(&awaited.all)))
		pthread_cond_wait(&awaited.more, &awaited.lock);
	pthread_mutex_unlock(&awaited.lock);
	left = p->due - mono_ms();
	if (left > 0)
		return (int)left;
	settle(p, false);
	return 0;
}

static void *connect_run(void *arg)
{
	struct epoll_event ev[64];

	for (;;) {
		int n = epoll_wait(awaited.epoll, ev, 64, time_left());

		for (int i = 0; i < n; i++)
			settle(ev[i].data.ptr, true);
	}
	return NULL;
}

/* True when another finishes it. */
static bool reach(struct porting *p)
{
	struct msg_ve m = { .head.type = MSG_PORT,
			    .veid = p->veid,
			    .arg = p->port };
	struct msg reply _msg_ = { .nfds = 0 };
	struct err e = { 0 };
	int r;

	db_sync(); /* its grant counts once, whatever happens */
	if (atomic_load(&p->refs) == 1) /* nobody waits for it any more */
		return false;
	if (!awake(p))
		return false;
	r = ask(&m, &reply, &e);
	if (r == 0 && reply.nfds == 1) {
		p->fd = take_fd(&reply.fds[0]);
		return await_connect(p);
	}
	if (r == -EPIPE || r == -ESRCH)
		fail(p, 503, "not-ready", e.text);
	else
		fail(p, 502, "port-closed",
		     "nobody listens on that port of the VE");
	return false;
}

static void work(void *job)
{
	struct porting *p = job;

	if (!reach(p))
		finish(p);
}

void porting_start(void)
{
	pthread_t t;

	awaited.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (awaited.epoll < 0 || pthread_create(&t, NULL, connect_run, NULL))
		fatal("no thread for the connections of ports");
	pthread_detach(t);
	lanes = lanes_start("ports", WORKERS, WORKERS, work);
}
