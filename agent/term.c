// SPDX-License-Identifier: Apache-2.0
#include "agent/term.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/name.h"
#include "agent/part.h"
#include "agent/sandbox.h"

#define EACH_VE 64 /* streams of one VE */
#define TICK_MS 1000
#define TICK_BUSY_MS 50 /* while one waits for its last output or a new size */

struct term term;

static int64_t clock_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t term_now(void)
{
	return clock_of(CLOCK_MONOTONIC);
}

int64_t term_wall(void)
{
	return clock_of(CLOCK_REALTIME);
}

void source_want(struct source *s, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };
	int op = s->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (s->fd < 0 || s->events == events)
		return;
	/* a descriptor with nothing to wait for would still report HUP */
	if (!events)
		op = EPOLL_CTL_DEL;
	if (epoll_ctl(term.ep, op, s->fd, &ev) < 0)
		log_warn("epoll: %s", strerror(errno));
	s->events = events;
}

void source_close(struct source *s)
{
	/* explicitly: the supervisor may hold the same open file */
	source_want(s, 0);
	clean_close(&s->fd);
	s->fd = -1;
	s->events = 0;
}

void term_tell(const void *m)
{
	if (term.api.fd < 0)
		return;
	if (msg_send(term.api.fd, m, NULL, 0) < 0)
		source_close(&term.api);
}

/* One more would be too many: in all, or for one VE. */
static bool is_full(uint32_t veid)
{
	unsigned n = 0;

	for (const struct stream *s = term.streams; s; s = s->next)
		n += s->veid == veid;
	return n > EACH_VE || term.nstreams > (unsigned)term.conf->max_streams;
}

static void on_attach(struct msg *m)
{
	const struct msg_attach *a = &m->m.attach;
	struct stream *s =
		stream_new(a->veid, take_fd(&m->fds[0]), a->extra, a->nextra);
	struct tty *t;

	if (!is_veid(a->veid) || !is_name(a->name) || a->cols < 1 ||
	    a->rows < 1 || a->cols > TERM_SIZE_MAX || a->rows > TERM_SIZE_MAX) {
		stream_end(s, TERM_CLOSE_REFUSED, "malformed");
		return;
	}
	t = is_full(a->veid) ? NULL
			     : tty_need(a->veid, a->name, a->cols, a->rows);
	if (!t) {
		stream_end(s, TERM_CLOSE_TOO_MANY, "too many terminals");
		return;
	}
	tty_resize(t, a->cols, a->rows);
	stream_attach(s, t, a->from);
}

static void on_run(struct msg *m)
{
	const struct msg_attach *a = &m->m.attach;
	struct stream *s =
		stream_new(a->veid, take_fd(&m->fds[0]), a->extra, a->nextra);

	if (is_full(a->veid)) {
		stream_end(s, TERM_CLOSE_TOO_MANY, "too many streams");
		return;
	}
	exec_start(s, m->fds + 1);
}

static void on_close(uint32_t veid, uint16_t code)
{
	struct stream *s, *next;

	for (s = term.streams; s; s = next) {
		next = s->next;
		if (s->veid == veid && !s->deadline)
			stream_end(s, code, NULL);
	}
}

static void on_notice(const struct msg_notice *n)
{
	struct term_msg m = { .type = TERM_NOTICE,
			      .code = (uint16_t)n->code,
			      .seconds = n->seconds,
			      .data = (const uint8_t *)n->text,
			      .len = strlen(n->text) };
	struct stream *s, *next;

	for (s = term.streams; s; s = next) {
		next = s->next;
		if (s->veid != n->veid || !s->tty || !s->greeted || s->deadline)
			continue;
		stream_send(s, &m);
		stream_pump(s);
	}
}

static void on_opened(struct msg *m)
{
	struct tty *t = tty_find(m->m.terminal.veid, m->m.terminal.name);

	if (t && t->master.fd < 0)
		tty_opened(t, take_fd(&m->fds[0]), take_fd(&m->fds[1]));
}

static void on_not_opened(const struct msg_terminal *n)
{
	struct tty *t = tty_find(n->veid, n->name);
	struct stream *s, *next;

	if (!t || t->master.fd >= 0)
		return;
	for (s = term.streams; s; s = next) {
		next = s->next;
		if (s->tty == t)
			stream_end(s, (uint16_t)n->close, NULL);
	}
	tty_destroy(t);
}

static void on_api(void)
{
	struct msg m _msg_ = { .nfds = 0 };
	const struct msg_terminal *t = &m.m.terminal;
	int r = msg_recv(term.api.fd, &m);

	if (r < 0) {
		if (r != -EAGAIN)
			source_close(&term.api);
		return;
	}
	switch (m.m.head.type) {
	case MSG_ATTACH:
		on_attach(&m);
		break;
	case MSG_RUN:
		on_run(&m);
		break;
	case MSG_OPENED:
		on_opened(&m);
		break;
	case MSG_NOT_OPENED:
		on_not_opened(t);
		break;
	case MSG_NEED:
		if (is_name(t->name))
			tty_need(t->veid, t->name, t->cols, t->rows);
		break;
	case MSG_REFUSE:
		stream_end(stream_new(t->veid, take_fd(&m.fds[0]), NULL, 0),
			   (uint16_t)t->close, NULL);
		break;
	case MSG_NOTICE:
		on_notice(&m.m.notice);
		break;
	case MSG_CLOSE:
		on_close(t->veid, (uint16_t)t->close);
		break;
	default:
		log_err("api sent what it may not: hanging up");
		source_close(&term.api);
		break;
	}
}

static void on_supervisor(void)
{
	struct msg m _msg_ = { .nfds = 0 };
	int r = msg_recv(PART_SOCK, &m);

	if (r == -EPIPE)
		part_orphaned();
	if (r < 0)
		return;
	if (m.m.head.type == MSG_KEPT) {
		tty_kept(&m);
	} else if (m.m.head.type == MSG_LINK && m.m.link.what == LINK_API) {
		source_close(&term.api);
		term.api = (struct source){ .kind = SOURCE_API,
					    .fd = take_fd(&m.fds[0]) };
		source_want(&term.api, EPOLLIN);
		tty_ask_again();
	}
}

static void dispatch(struct source *s, uint32_t events)
{
	switch (s->kind) {
	case SOURCE_SUPERVISOR:
		on_supervisor();
		break;
	case SOURCE_API:
		on_api();
		break;
	case SOURCE_STREAM:
		stream_pump(s->owner);
		break;
	case SOURCE_MASTER:
		tty_on_master(s->owner, events);
		break;
	case SOURCE_STATUS:
		tty_on_status(s->owner);
		break;
	case SOURCE_EXEC:
		exec_on_event(s->owner, s);
		break;
	}
}

static bool any_due(void)
{
	for (const struct tty *t = term.ttys; t; t = t->next)
		if (tty_is_due(t))
			return true;
	return false;
}

void term_main(const struct conf *c)
{
	char empty[CONF_TEXT + 8];
	int64_t ticked = 0;

	signal(SIGPIPE, SIG_IGN);
	snprintf(empty, sizeof(empty), "%s/empty", c->run_dir);
	part_drop(c->user_term, empty);
	term = (struct term){
		.conf = c,
		.ep = epoll_create1(EPOLL_CLOEXEC),
		.supervisor = { .kind = SOURCE_SUPERVISOR, .fd = PART_SOCK },
		.api = { .kind = SOURCE_API, .fd = -1 },
		.next_key = 1,
	};
	if (term.ep < 0)
		fatal("epoll: %s", strerror(errno));
	sandbox_enter(SANDBOX_TERM);
	source_want(&term.supervisor, EPOLLIN);
	for (;;) {
		/* one at a time: a handler may free what a later one names */
		struct epoll_event ev;
		int n = epoll_wait(term.ep, &ev, 1,
				   any_due() ? TICK_BUSY_MS : TICK_MS);
		int64_t now = term_now();

		if (n > 0)
			dispatch(ev.data.ptr, ev.events);
		if (now - ticked >= TICK_BUSY_MS) {
			ticked = now;
			tty_tick(now);
			stream_tick(now);
		}
	}
}
