// SPDX-License-Identifier: Apache-2.0
#include "agent/priv.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "agent/confine.h"
#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/netroute.h"
#include "agent/part.h"
#include "agent/shape.h"
#include "agent/tree.h"
#include "agent/venv.h"

#define SWEEP_MS 5000

int priv_watch(struct priv *p, struct watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	return epoll_ctl(p->ep, EPOLL_CTL_ADD, w->fd, &ev) < 0 ? -errno : 0;
}

void priv_unwatch(struct priv *p, struct watch *w)
{
	if (w->fd < 0)
		return;
	/* closing alone would leave it there while somebody holds a duplicate */
	epoll_ctl(p->ep, EPOLL_CTL_DEL, w->fd, NULL);
	close(w->fd);
	w->fd = -1;
}

/* What api has asked and waits for its turn, in its order. */
#define INBOX 32
static struct {
	struct msg room[INBOX];
	struct msg *of[INBOX]; /* behind the first @n: free */
	unsigned n;
	int end; /* of the line, behind them: 0, -EPIPE, -EBADMSG */
} inbox;

static struct msg *inbox_take(unsigned i)
{
	struct msg *m = inbox.of[i];

	inbox.n--;
	memmove(&inbox.of[i], &inbox.of[i + 1],
		(inbox.n - i) * sizeof(inbox.of[0]));
	inbox.of[inbox.n] = m;
	return m;
}

static void inbox_clear(void)
{
	for (unsigned i = 0; i < INBOX && !inbox.of[i]; i++)
		inbox.of[i] = &inbox.room[i];
	while (inbox.n)
		msg_fini(inbox_take(0));
	inbox.end = 0;
}

static void inbox_fill(int sock)
{
	while (inbox.n < INBOX && !inbox.end) {
		int r = msg_recv_now(sock, inbox.of[inbox.n]);

		if (r == -EAGAIN)
			return;
		if (r < 0)
			inbox.end = r;
		else
			inbox.n++;
	}
}

static void drop_api(struct priv *p)
{
	inbox_clear();
	priv_refusals_listen(p, false);
	priv_pack_orphan(p);
	priv_unwatch(p, &p->api);
}

void priv_tell(struct priv *p, const void *m, const int *fds, unsigned nfds)
{
	int r;

	if (p->api.fd < 0)
		return; /* it will list when it comes back */
	r = msg_send(p->api.fd, m, fds, nfds);
	if (r < 0) {
		log_warn("api does not listen: %s", strerror(-r));
		drop_api(p);
	}
}

static void reply(struct priv *p, uint32_t id, int code, const struct err *e,
		  const int *fds, unsigned nfds)
{
	struct msg_done d = { .head = { MSG_DONE, id }, .code = code };

	if (code < 0)
		snprintf(d.text, sizeof(d.text), "%.199s",
			 e->code ? e->text : strerror(-code));
	priv_tell(p, &d, fds, nfds);
}

void priv_done(struct priv *p, uint32_t id, int code, const struct err *e)
{
	reply(p, id, code, e, NULL, 0);
}

static void answer_list(struct priv *p, const struct msg *m)
{
	struct msg_entries r = { .head = { MSG_ENTRIES_IS, m->m.head.id } };
	unsigned i = priv_above(p, m->m.ve.arg);

	r.abi = p->abi;
	while (i < p->nves && r.nr < MSG_ENTRIES)
		r.entries[r.nr++] = p->ves[i++]->last;
	r.more = i < p->nves;
	priv_tell(p, &r, NULL, 0);
}

static void answer_templates(struct priv *p, const struct msg *m)
{
	struct msg_templates r = { .head = { MSG_TEMPLATES_ARE,
					     m->m.head.id } };

	r.nr = tree_templates(p->conf->template_dir, r.templates);
	priv_tell(p, &r, NULL, 0);
}

/* THE table: what api may ask.  Anything else closes the line, and api, which
 * ends without it, starts afresh. */
static const struct request {
	uint32_t type;
	void (*whole)(struct priv *p, const struct msg *m);
	int (*plain)(struct priv *p, const struct msg *m, struct err *e);
	int (*with_fds)(struct priv *p, const struct msg *m, int *fds,
			struct err *e);
} requests[] = {
	/* clang-format off */
	{ MSG_LIST,		answer_list,	  NULL,		  NULL },
	{ MSG_TEMPLATES_ASK,	answer_templates, NULL,		  NULL },
	{ MSG_START,		NULL,		  answer_start,	  NULL },
	{ MSG_STOP,		NULL,		  answer_stop,	  NULL },
	{ MSG_ERASE,		NULL,		  answer_erase,	  NULL },
	{ MSG_PACK,		answer_pack,	  NULL,		  NULL },
	{ MSG_ADDR,		NULL,		  answer_addr,	  NULL },
	{ MSG_FENCE,		NULL,		  answer_fence,	  NULL },
	{ MSG_LIMITS,		NULL,		  answer_limits,  NULL },
	{ MSG_PORT,		NULL,		  NULL,		  answer_port },
	{ MSG_FREEZE,		NULL,		  answer_freeze,  NULL },
	{ MSG_ACTIVITY,		answer_activity,  NULL,		  NULL },
	{ MSG_USAGE,		answer_usage,	  NULL,		  NULL },
	{ MSG_TTY,		NULL,		  NULL,		  answer_tty },
	{ MSG_EXEC,		NULL,		  NULL,		  answer_exec },
	/* clang-format on */
};

static void answer(struct priv *p, const struct request *q, const struct msg *m)
{
	int fds[MSG_FDS], r;
	struct err e = { 0 };

	if (q->whole) {
		q->whole(p, m);
		return;
	}
	if (q->plain) {
		reply(p, m->m.head.id, q->plain(p, m, &e), &e, NULL, 0);
		return;
	}
	r = q->with_fds(p, m, fds, &e);
	reply(p, m->m.head.id, r < 0 ? r : 0, &e, fds, r < 0 ? 0 : (unsigned)r);
	for (int i = 0; i < r; i++)
		close(fds[i]);
}

/* Addresses do not wait for what takes long: a start, a freeze. */
static bool is_quick(const struct msg *m)
{
	return m->m.head.type == MSG_ADDR || m->m.head.type == MSG_FENCE;
}

static struct msg *next_asked(void)
{
	for (unsigned i = 0; i < inbox.n; i++)
		if (is_quick(inbox.of[i]))
			return inbox_take(i);
	return inbox.n ? inbox_take(0) : NULL;
}

static const struct request *find_request(uint32_t type)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i].type == type)
			return &requests[i];
	return NULL;
}

/* One of what api has asked; behind the last the end of its line is seen. */
static void serve_api(struct priv *p)
{
	const struct request *q;
	struct msg *m;

	inbox_fill(p->api.fd);
	m = next_asked();
	if (!m && !inbox.end)
		return;
	q = m ? find_request(m->m.head.type) : NULL;
	if (!q && inbox.end != -EPIPE)
		log_err("api asked for what is not in the table: hanging up");
	if (q)
		answer(p, q, m);
	if (m)
		msg_fini(m);
	if (!q)
		drop_api(p);
}

static void on_supervisor(struct priv *p)
{
	struct msg m _msg_ = { .nfds = 0 };
	int r = msg_recv(p->supervisor.fd, &m);

	if (r == -EPIPE)
		part_orphaned();
	if (r < 0)
		return;
	if (m.m.head.type == MSG_KEPT && m.nfds == 0) {
		priv_addr_kept(p, &m.m.keep);
	} else if (m.m.head.type == MSG_KEPT) {
		priv_proc_kept(p, &m);
	} else if (m.m.head.type == MSG_LINK && m.m.link.what == LINK_API) {
		drop_api(p);
		p->api = (struct watch){ WATCH_API, take_fd(&m.fds[0]) };
		if (priv_watch(p, &p->api, EPOLLIN) < 0)
			fatal("epoll does not take api's line");
		priv_refusals_listen(p, true);
		priv_held_tell(p);
	}
}

static void dispatch(struct priv *p, struct watch *w)
{
	switch (w->kind) {
	case WATCH_SUPERVISOR:
		on_supervisor(p);
		break;
	case WATCH_API:
		break; /* it is served each time */
	case WATCH_VE:
		priv_ve_event(p, (struct priv_ve *)w);
		break;
	case WATCH_PROC:
		priv_proc_event(p, (struct priv_proc *)w);
		break;
	case WATCH_PACK:
		priv_pack_event(p, (struct priv_pack *)w);
		break;
	case WATCH_REFUSALS:
		priv_refusals_event(p);
		break;
	}
}

/* Every now and then, however much there is to do. */
static void sweep(struct priv *p)
{
	int64_t now = priv_now();

	if (now < p->sweep_due)
		return;
	p->sweep_due = now + SWEEP_MS;
	if (p->sweeper && waitpid(p->sweeper, NULL, WNOHANG) != 0)
		p->sweeper = 0;
	if (!p->sweeper)
		p->sweeper = tree_sweep(p->conf->private_dir);
}

void priv_main(const struct conf *c)
{
	struct priv p = {
		.conf = c,
		.supervisor = { WATCH_SUPERVISOR, PART_SOCK },
		.api = { WATCH_API, -1 },
		.next_key = 1,
	};
	int abi;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* helpers: nobody asks how they ended */
	netroute_open();
	venv_net_open();
	shape_open(c->uplink, (uint64_t)c->uplink_rate);
	confine();
	abi = venv_abi();
	p.abi = abi < 0 ? 0 : (uint32_t)abi;
	if (abi < 0)
		log_err("this kernel has no Virtual Environments: nothing can"
			" be started; boot the patched kernel");
	inbox_clear();
	p.ep = epoll_create1(EPOLL_CLOEXEC);
	if (p.ep < 0 || priv_watch(&p, &p.supervisor, EPOLLIN) < 0)
		fatal("epoll: %s", strerror(errno));
	priv_refusals_open(&p);
	priv_adopt(&p);
	priv_limit_adopt(&p);
	for (;;) {
		/* one at a time: a handler may free what a later event names */
		struct epoll_event ev;
		int wait = priv_fence_due(&p, priv_refusals_due(&p, SWEEP_MS));
		bool asked = inbox.n || inbox.end, make = priv_held_wanted(&p);
		int n = epoll_wait(p.ep, &ev, 1, asked || make ? 0 : wait);

		if (n > 0)
			dispatch(&p, ev.data.ptr);
		else if (make && !asked)
			priv_held_make(&p);
		if (p.api.fd >= 0)
			serve_api(&p);
		sweep(&p);
	}
}
