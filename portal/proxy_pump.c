// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "portal/proxy_impl.h"

#define QUIET_MS 600000
#define ROOM 65536 /* in each direction */

int64_t visit_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct pump {
	struct visit *v;
	struct buf *up, down;
	bool moved, ended; /* the VE has said all */
};

/* false when the visitor is gone. */
static bool from_visitor(struct pump *p)
{
	char room[16384];

	while (p->up->len < ROOM) {
		ssize_t n = recv(p->v->fd, room, sizeof(room), 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0)
			return false;
		buf_put(p->up, room, (size_t)n);
		p->moved = true;
	}
	return true;
}

static bool to_visitor(struct pump *p)
{
	while (p->down.len) {
		ssize_t n = send(p->v->fd, p->down.data, p->down.len,
				 MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		buf_shift(&p->down, (size_t)n);
		p->moved = true;
	}
	return true;
}

static void from_ve(struct pump *p)
{
	char room[16384];

	while (!p->ended && p->down.len < ROOM) {
		ssize_t n = stream_read(p->v->stream, room, sizeof(room));

		if (n == -EAGAIN)
			return;
		if (n <= 0) {
			p->ended = true;
			return;
		}
		buf_put(&p->down, room, (size_t)n);
		p->moved = true;
	}
}

static bool to_ve(struct pump *p)
{
	while (p->up->len) {
		ssize_t n =
			stream_write(p->v->stream, p->up->data, p->up->len);

		if (n == -EAGAIN)
			return true;
		if (n <= 0)
			return p->ended = true; /* hear what it said before */
		buf_shift(p->up, (size_t)n);
		p->moved = true;
	}
	return true;
}

static int rest(struct pump *p)
{
	uint32_t events = stream_events(p->v->stream);
	struct pollfd fds[2] = { { .fd = p->v->fd },
				 { .fd = stream_fd(p->v->stream) } };

	if (p->up->len < ROOM)
		fds[0].events |= POLLIN;
	if (p->down.len)
		fds[0].events |= POLLOUT;
	if (events & EPOLLIN || (!p->ended && p->down.len < ROOM))
		fds[1].events |= POLLIN;
	if (events & EPOLLOUT || (p->up->len && !p->ended))
		fds[1].events |= POLLOUT;
	if (p->ended || !fds[1].events)
		fds[1].fd = -1;
	return poll(fds, 2, QUIET_MS);
}

void visit_pump(struct visit *v, struct buf *first)
{
	struct pump p = { .v = v, .up = first };

	while (!p.ended || p.down.len) {
		p.moved = false;
		from_ve(&p);
		if (!to_visitor(&p) || (!p.ended && !to_ve(&p)) ||
		    !from_visitor(&p))
			break;
		if (!p.moved && rest(&p) <= 0)
			break;
	}
	buf_free(&p.down);
}
