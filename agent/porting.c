// SPDX-License-Identifier: Apache-2.0
#include "agent/porting.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/api.h"
#include "agent/db.h"
#include "agent/lanes.h"
#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/libve/wire.h"

#define WORKERS 4 /* of each lane */
#define CONNECT_MS 10000

static struct lanes *lanes;

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

static void work(void *job)
{
	struct porting *p = job;
	uint32_t veid = p->veid;

	reach(p);
	p->done = true;
	porting_put(p);
	http_wake(TOPIC_VE | veid);
}

void porting_start(void)
{
	lanes = lanes_start("ports", WORKERS, WORKERS, work);
}
