// SPDX-License-Identifier: Apache-2.0
#include "agent/api.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "agent/db.h"
#include "agent/http.h"
#include "agent/idle.h"
#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/part.h"
#include "agent/usage.h"

#define ASK_MS 60000
#define STATES 64
#define LOST_MS 30000 /* without a line to priv or term we are of no use */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t linked; /* to priv */
static pthread_condattr_t monotonic;
static struct asking *waiting; /* for an answer */
static uint32_t last_id;
static unsigned generation;
static int priv_fd = -1, term_fd = -1, listen_fd = -1, ctl_fd = -1;

static void end(struct asking *a, int result)
{
	a->result = result;
	pthread_cond_signal(&a->answered);
}

static void fail_all(int code)
{
	for (struct asking *a = waiting; a; a = a->next)
		if (a->result == 1)
			end(a, code);
	pthread_cond_broadcast(&linked);
}

static void unlist(const struct asking *gone)
{
	for (struct asking **at = &waiting; *at; at = &(*at)->next)
		if (*at == gone) {
			*at = gone->next;
			return;
		}
}

/* With the lock of this file held: wait until there is a line to priv. */
static int await_priv(const struct timespec *until)
{
	while (priv_fd < 0)
		if (pthread_cond_timedwait(&linked, &lock, until))
			return -ETIMEDOUT;
	return 0;
}

void ask_begin(struct asking *a, void *request, struct msg *reply)
{
	struct msg_head *head = request;
	int r;

	*a = (struct asking){ .reply = reply, .result = 1 };
	pthread_cond_init(&a->answered, &monotonic);
	clock_gettime(CLOCK_MONOTONIC, &a->until);
	a->until.tv_sec += ASK_MS / 1000;
	pthread_mutex_lock(&lock);
	r = await_priv(&a->until);
	if (r == 0) {
		head->id = a->id = ++last_id;
		r = msg_send(priv_fd, head, NULL, 0);
		if (r < 0)
			r = -EPIPE;
	}
	if (r < 0)
		a->result = r;
	a->next = waiting;
	waiting = a;
	pthread_mutex_unlock(&lock);
}

int ask_end(struct asking *a, struct err *e)
{
	struct msg *reply = a->reply;

	pthread_mutex_lock(&lock);
	while (a->result == 1)
		if (pthread_cond_timedwait(&a->answered, &lock, &a->until))
			break;
	if (a->result == 1)
		a->result = -ETIMEDOUT;
	unlist(a);
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&a->answered);
	if (a->result < 0)
		return err_set(e, a->result,
			       a->result == -EPIPE
				       ? "the privileged part was restarted"
				       : "the privileged part does not answer");
	if (reply->m.head.type == MSG_DONE && reply->m.done.code < 0) {
		msg_fini(reply);
		return err_set(e, reply->m.done.code, "%s", reply->m.done.text);
	}
	return 0;
}

int ask(void *request, struct msg *reply, struct err *e)
{
	struct asking a;

	ask_begin(&a, request, reply);
	return ask_end(&a, e);
}

unsigned link_generation(void)
{
	unsigned n;

	pthread_mutex_lock(&lock);
	n = generation;
	pthread_mutex_unlock(&lock);
	return n;
}

bool tell_term(const void *m, const int *fds, unsigned nfds)
{
	int r = -EPIPE;

	pthread_mutex_lock(&lock);
	if (term_fd >= 0)
		r = msg_send(term_fd, m, fds, nfds);
	pthread_mutex_unlock(&lock);
	return r == 0;
}

/* Hand an answer to whoever asked; an answer nobody waits for is dropped. */
static void deliver(struct msg *m)
{
	pthread_mutex_lock(&lock);
	for (struct asking *a = waiting; a; a = a->next) {
		if (a->id != m->m.head.id || a->result != 1)
			continue;
		*a->reply = *m;
		m->nfds = 0;
		end(a, 0);
		break;
	}
	pthread_mutex_unlock(&lock);
}

static void priv_broke(void)
{
	pthread_mutex_lock(&lock);
	clean_close(&priv_fd);
	priv_fd = -1;
	api.held = 0; /* they went with it */
	fail_all(-EPIPE);
	pthread_mutex_unlock(&lock);
	log_warn("the line to priv broke");
}

/* States that were told and are not written down yet. */
struct heard {
	struct msg_entry states[STATES];
	unsigned n;
};

static void write_down(struct heard *h)
{
	if (h->n)
		op_on_states(h->states, h->n);
	h->n = 0;
}

/* A list is a report among others: what was told before it is older, and what is
 * told behind it newer, however late its asker wakes. */
static void take_list(struct heard *h, struct msg *m)
{
	write_down(h);
	if (m->m.entries.nr)
		op_on_states(m->m.entries.entries, m->m.entries.nr);
	deliver(m);
}

static void take(struct heard *h, struct msg *m)
{
	switch (m->m.head.type) {
	case MSG_STATE:
		h->states[h->n++] = m->m.state.entry;
		break;
	case MSG_ENTRIES_IS:
		take_list(h, m);
		break;
	case MSG_REFUSED:
		usage_refused(&m->m.refusals);
		break;
	case MSG_HELD:
		api.held = m->m.ve.arg;
		break;
	default:
		deliver(m);
		break;
	}
}

/* What is there: states are written down together. */
static void on_priv(void)
{
	struct heard h = { .n = 0 };
	int r = 0;

	for (unsigned i = 0; i < STATES; i++) {
		struct msg m _msg_ = { .nfds = 0 };

		r = msg_recv_now(priv_fd, &m);
		if (r < 0)
			break;
		take(&h, &m);
	}
	write_down(&h);
	if (r < 0 && r != -EAGAIN)
		priv_broke();
}

static void on_count(const struct msg_count *c)
{
	struct ve v;

	state_lock();
	if (ve_load(api.db, c->veid, &v) &&
	    (v.terminals != c->terminals || v.active != c->active_ms)) {
		bool typed = c->active_ms && c->active_ms != v.active;

		v.terminals = c->terminals;
		if (c->active_ms)
			v.active = c->active_ms;
		ve_save(api.db, &v);
		if (typed)
			open_visited(&v, IDLE_TERMINAL);
	}
	state_unlock();
}

static void on_term(void)
{
	struct msg m _msg_ = { .nfds = 0 };
	int r = msg_recv(term_fd, &m);

	if (r == 0 && m.m.head.type == MSG_NEED) {
		open_needed(&m.m.terminal);
	} else if (r == 0 && m.m.head.type == MSG_COUNT) {
		on_count(&m.m.count);
	} else if (r < 0 && r != -EAGAIN) {
		pthread_mutex_lock(&lock);
		clean_close(&term_fd);
		term_fd = -1;
		pthread_mutex_unlock(&lock);
		log_warn("the line to term broke");
	}
}

static void take_link(uint32_t what, int fd)
{
	pthread_mutex_lock(&lock);
	switch (what) {
	case LINK_PRIV:
		clean_close(&priv_fd);
		priv_fd = fd;
		generation++;
		fail_all(-EPIPE);
		break;
	case LINK_TERM:
		clean_close(&term_fd);
		term_fd = fd;
		break;
	case LINK_LISTEN:
		listen_fd = fd;
		break;
	case LINK_CTL:
		clean_close(&ctl_fd);
		ctl_fd = fd;
		break;
	default:
		close(fd);
		break;
	}
	pthread_mutex_unlock(&lock);
	if (what == LINK_LISTEN)
		http_listen(fd);
	if (what == LINK_PRIV)
		clock_poke();
}

static void on_supervisor(void)
{
	struct msg m _msg_ = { .nfds = 0 };
	int r = msg_recv(PART_SOCK, &m);

	if (r == -EPIPE)
		part_orphaned();
	if (r == 0 && m.m.head.type == MSG_LINK)
		take_link(m.m.link.what, take_fd(&m.fds[0]));
	if (r == 0 && m.m.head.type == MSG_CERTS)
		http_renew(m.fds);
}

/* The supervisor makes a line when one of the two starts, and never else: where
 * one broke and both live, our next life gets another. */
static void end_without(int fd, int64_t *since, const char *what)
{
	int64_t now = clock_mono();

	if (fd >= 0)
		*since = now;
	else if (now - *since > LOST_MS)
		fatal("no line to %s", what);
}

static void *run(void *arg)
{
	int64_t priv_seen = clock_mono(), term_seen = priv_seen;

	for (;;) {
		struct pollfd p[4] = {
			{ .fd = PART_SOCK, .events = POLLIN },
			{ .fd = priv_fd, .events = POLLIN },
			{ .fd = term_fd, .events = POLLIN },
			{ .fd = ctl_fd, .events = POLLIN },
		};

		if (poll(p, 4, 1000) < 0 && errno != EINTR)
			fatal("poll: %s", strerror(errno));
		if (p[0].revents)
			on_supervisor();
		else if (p[1].revents)
			on_priv();
		else if (p[2].revents)
			on_term();
		else if (p[3].revents)
			http_accept_local(ctl_fd);
		end_without(priv_fd, &priv_seen, "the privileged part");
		end_without(term_fd, &term_seen, "the terminals");
	}
	return NULL;
}

void link_start(void)
{
	pthread_t t;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&linked, &monotonic);
	if (pthread_create(&t, NULL, run, NULL))
		fatal("no thread for the lines");
}
