// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "portal/proxy_impl.h"
#include "agent/libve/mono.h"

#define QUIET_MS 600000
#define ROOM 65536 /* in each direction */

/* What the visitor says goes to the VE; waits until the VE agrees to an upgrade;
 * goes nowhere, since the VE answers something else. */
enum mode { PASSED, HELD, DROPPED };

struct pump {
	struct visit *v;
	struct buf *up, down;
	enum mode mode;
	size_t head; /* bytes of up that are not held */
	bool moved, ended; /* the VE has said all */
	bool heard; /* the visitor has said all, and may listen still */
};

/* false when the visitor is gone. */
static bool from_visitor(struct pump *p)
{
	char room[16384];

	while (!p->heard && p->up->len < ROOM) {
		ssize_t n = recv(p->v->fd, room, sizeof(room), 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n < 0)
			return false;
		p->heard = n == 0;
		p->moved = true;
		if (p->mode == DROPPED)
			return true;
		buf_put(p->up, room, (size_t)n);
	}
	return true;
}

static bool to_visitor(struct pump *p)
{
	while (p->down.len && p->mode != HELD) {
		ssize_t n =
			send(p->v->fd, p->down.data, p->down.len, MSG_NOSIGNAL);

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

/* The first bytes of the answer say what becomes of what is held. */
static void judge(struct pump *p)
{
	static const char agreed[] = "HTTP/1.1 101";
	size_t n = sizeof(agreed) - 1;

	if (p->mode != HELD || (p->down.len < n && !p->ended))
		return;
	p->mode = p->down.len >= n && !memcmp(p->down.data, agreed, n)
			  ? PASSED
			  : DROPPED;
	if (p->mode == DROPPED)
		buf_shift(p->up, p->up->len);
}

/* How much may go to the VE. */
static size_t due(const struct pump *p)
{
	return p->mode == HELD ? p->head : p->up->len;
}

static bool to_ve(struct pump *p)
{
	while (due(p)) {
		ssize_t n = stream_write(p->v->stream, p->up->data, due(p));

		if (n == -EAGAIN)
			return true;
		if (n <= 0)
			return p->ended = true; /* hear what it said before */
		buf_shift(p->up, (size_t)n);
		if (p->mode == HELD)
			p->head -= (size_t)n;
		p->moved = true;
	}
	return true;
}

/* Until there is something to do; 0 or less when there is nobody to do it for. */
static int rest(struct pump *p)
{
	uint32_t events = stream_events(p->v->stream);
	struct pollfd fds[2] = { { .fd = p->v->fd },
				 { .fd = stream_fd(p->v->stream) } };
	int n;

	if (!p->heard && p->up->len < ROOM)
		fds[0].events |= POLLIN;
	if (p->down.len && p->mode != HELD)
		fds[0].events |= POLLOUT;
	if (events & EPOLLIN || (!p->ended && p->down.len < ROOM))
		fds[1].events |= POLLIN;
	if (events & EPOLLOUT || (due(p) && !p->ended))
		fds[1].events |= POLLOUT;
	if (p->ended || !fds[1].events)
		fds[1].fd = -1;
	n = poll(fds, 2, QUIET_MS);
	/* a visitor who is not read from is not seen to leave otherwise */
	return fds[0].revents & (POLLHUP | POLLERR) && !(fds[0].events & POLLIN)
		       ? 0
		       : n;
}

void visit_pump(struct visit *v, struct buf *first, size_t head)
{
	struct pump p = {
		.v = v, .up = first, .mode = head ? HELD : PASSED, .head = head
	};

	for (;;) {
		p.moved = false;
		from_ve(&p);
		judge(&p);
		if (!to_visitor(&p) || (!p.ended && !to_ve(&p)) ||
		    !from_visitor(&p) || (p.ended && !p.down.len))
			break;
		if (!p.moved && rest(&p) <= 0)
			break;
	}
	buf_free(&p.down);
}
