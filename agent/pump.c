// SPDX-License-Identifier: Apache-2.0
#include "agent/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/api.h"
#include "agent/db.h"
#include "agent/libve/clean.h"
#include "agent/libve/log.h"

#define TOUCH_MS 1000 /* to an awake VE activity is told as often */

enum { CLIENT, SERVER };

struct pair;

/* One side, and what was read of it and waits for the other. */
struct side {
	struct pair *pair;
	int fd;
	uint32_t events; /* that epoll knows */
	bool ended;	 /* nothing more comes */
	bool told;	 /* the other side was told so */
	size_t at, len;
	uint8_t data[PUMP_CHUNK];
};

struct pair {
	struct pair *next;
	uint32_t veid;
	int64_t touched;
	unsigned sleeps; /* idle_sleeps() then */
	struct side side[2];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct pair *pairs;
static int ep = -1;

static void want(struct side *s, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };
	/* a descriptor with nothing to wait for would still report HUP */
	int op = !events     ? EPOLL_CTL_DEL
		 : s->events ? EPOLL_CTL_MOD
			     : EPOLL_CTL_ADD;

	if (s->events == events)
		return;
	s->events = events; /* first: with ADD the thread may have it */
	epoll_ctl(ep, op, s->fd, &ev);
}

static void destroy(struct pair *p)
{
	pthread_mutex_lock(&lock);
	for (struct pair **at = &pairs; *at; at = &(*at)->next) {
		if (*at != p)
			continue;
		*at = p->next;
		break;
	}
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < 2; i++) {
		want(&p->side[i], 0);
		close(p->side[i].fd);
	}
	free(p);
}

static bool later(ssize_t r)
{
	return r < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Read of @from when there is room; false: it broke. */
static bool fill(struct side *from)
{
	ssize_t r;

	if (from->ended || from->len)
		return true;
	r = read(from->fd, from->data, sizeof(from->data));
	if (later(r))
		return true;
	if (r < 0)
		return false;
	from->at = 0;
	from->len = (size_t)r;
	from->ended = r == 0;
	return true;
}

static bool drain(struct side *from, struct side *to)
{
	while (from->len) {
		ssize_t r = send(to->fd, from->data + from->at, from->len,
				 MSG_NOSIGNAL);

		if (later(r))
			return true;
		if (r <= 0)
			return false;
		from->at += (size_t)r;
		from->len -= (size_t)r;
	}
	if (from->ended && !from->told) {
		from->told = true;
		/* a server that has said all hears nothing more either: its
		 * client's TLS ends with both directions only */
		shutdown(to->fd, from == &from->pair->side[SERVER] ? SHUT_RDWR
								   : SHUT_WR);
	}
	return true;
}

/* Bytes of a client are somebody who comes. */
static void touch(struct pair *p)
{
	int64_t now = clock_mono();
	struct ve v;

	if (now - p->touched < TOUCH_MS && p->sleeps == idle_sleeps())
		return;
	p->touched = now;
	p->sleeps = idle_sleeps();
	state_lock();
	if (ve_load(api.db, p->veid, &v))
		open_visited(&v, IDLE_VISIT);
	state_unlock();
}

/* Move what can be moved; false: over. */
static bool step(struct pair *p)
{
	struct side *c = &p->side[CLIENT], *s = &p->side[SERVER];

	if (!fill(c) || !fill(s))
		return false;
	if (c->len)
		touch(p);
	if (!drain(c, s) || !drain(s, c))
		return false;
	for (int i = 0; i < 2; i++) {
		struct side *one = &p->side[i], *other = &p->side[!i];

		want(one, (one->ended || one->len ? 0 : EPOLLIN) |
				  (other->len ? EPOLLOUT : 0));
	}
	return !(c->told && s->told);
}

static void *run(void *arg)
{
	for (;;) {
		/* one at a time: the end of a pair takes both its sides */
		struct epoll_event ev;
		struct side *s;

		if (epoll_wait(ep, &ev, 1, -1) != 1)
			continue;
		s = ev.data.ptr;
		if (!step(s->pair))
			destroy(s->pair);
	}
	return NULL;
}

void pump_add(uint32_t veid, int client, int server, const void *extra,
	      size_t n)
{
	struct pair *p = xcalloc(1, sizeof(*p));

	p->veid = veid;
	for (int i = 0; i < 2; i++) {
		p->side[i].pair = p;
		p->side[i].fd = i == CLIENT ? client : server;
		fcntl(p->side[i].fd, F_SETFL, O_RDWR | O_NONBLOCK);
	}
	memcpy(p->side[CLIENT].data, extra, n);
	p->side[CLIENT].len = n;
	pthread_mutex_lock(&lock);
	p->next = pairs;
	pairs = p;
	/* writable it is at once: the thread does all else, and has it from
	 * here on */
	want(&p->side[SERVER], EPOLLOUT);
	pthread_mutex_unlock(&lock);
}

void pump_close(uint32_t veid)
{
	pthread_mutex_lock(&lock);
	for (struct pair *p = pairs; p; p = p->next) {
		if (p->veid != veid)
			continue;
		shutdown(p->side[CLIENT].fd, SHUT_RDWR);
		shutdown(p->side[SERVER].fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&lock);
}

void pump_start(void)
{
	pthread_t t;

	ep = epoll_create1(EPOLL_CLOEXEC);
	if (ep < 0 || pthread_create(&t, NULL, run, NULL))
		fatal("no thread for ports' bytes");
}
