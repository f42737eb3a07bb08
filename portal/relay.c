// SPDX-License-Identifier: Apache-2.0
#include "portal/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/libve/mono.h"
#include "portal/relay_impl.h"

#define RELAYS_MAX 2048
#define SESSION_MAX 12 /* terminals of one session */
#define DEAF_MS 30000

int relays_start(struct relays **out, struct certs_box *certs, struct err *e)
{
	struct relays *all = xcalloc(1, sizeof(*all));

	all->certs = certs;
	pthread_mutex_init(&all->lock, NULL);
	all->ep = epoll_create1(EPOLL_CLOEXEC);
	all->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (all->ep < 0 || all->wake < 0)
		return err_sys(e, "epoll");
	*out = all;
	return 0;
}

static void wake(struct relays *all)
{
	uint64_t one = 1;

	if (write(all->wake, &one, sizeof(one)) < 0)
		log_err("the relays cannot be woken");
}

bool relays_hearing(const struct relays *all)
{
	return __atomic_load_n(&all->hearing, __ATOMIC_ACQUIRE);
}

void relays_hear(struct relays *all, bool hearing)
{
	pthread_mutex_lock(&all->lock);
	if (all->hearing && !hearing)
		all->deaf_since = mono_ms();
	__atomic_store_n(&all->hearing, hearing, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&all->lock);
	wake(all);
}

void relays_add(struct relays *all, const struct relay_wish *wish, int fd,
		const void *read, size_t n,
		struct MHD_UpgradeResponseHandle *urh)
{
	struct relay *r = xcalloc(1, sizeof(*r));

	r->all = all;
	r->wish = *wish;
	r->fd = fd;
	r->urh = urh;
	buf_put(&r->early, read, n);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	pthread_mutex_lock(&all->lock);
	r->next = all->fresh;
	all->fresh = r;
	pthread_mutex_unlock(&all->lock);
	wake(all);
}

void relays_end(struct relays *all, int64_t session, uint32_t veid,
		uint16_t code)
{
	struct end *end = xcalloc(1, sizeof(*end));

	*end = (struct end){ .session = session, .veid = veid, .code = code };
	pthread_mutex_lock(&all->lock);
	/* in the order they came: a suspension is said before the log-out */
	struct end **at = &all->ends;
	while (*at)
		at = &(*at)->next;
	*at = end;
	pthread_mutex_unlock(&all->lock);
	wake(all);
}

size_t relays_list(struct relays *all, struct relay_id **out)
{
	size_t n = 0;

	pthread_mutex_lock(&all->lock);
	*out = xcalloc(all->count + 1, sizeof(**out));
	for (struct relay *r = all->list; r; r = r->next)
		if (r->session && r->state < RELAY_CLOSING)
			(*out)[n++] =
				(struct relay_id){ r->session, r->wish.veid };
	pthread_mutex_unlock(&all->lock);
	return n;
}

static void take_fresh(struct relays *all)
{
	struct relay *fresh;

	pthread_mutex_lock(&all->lock);
	fresh = all->fresh;
	all->fresh = NULL;
	pthread_mutex_unlock(&all->lock);
	while (fresh) {
		struct relay *r = fresh;

		fresh = r->next;
		relay_begin(r);
		pthread_mutex_lock(&all->lock);
		r->next = all->list;
		all->list = r;
		all->count++;
		pthread_mutex_unlock(&all->lock);
		if (all->count > RELAYS_MAX)
			relay_close(r, TERM_CLOSE_TOO_MANY);
		relay_step(r);
	}
}

static void take_ends(struct relays *all)
{
	struct end *ends;

	pthread_mutex_lock(&all->lock);
	ends = all->ends;
	all->ends = NULL;
	pthread_mutex_unlock(&all->lock);
	while (ends) {
		struct end *end = ends;

		ends = end->next;
		if (end->session)
			all->gone[all->gone_at++ % RELAY_GONE] = end->session;
		for (struct relay *r = all->list; r; r = r->next)
			if ((end->session && r->session == end->session) ||
			    (end->veid && r->wish.veid == end->veid)) {
				relay_close(r, end->code);
				relay_step(r);
			}
		free(end);
	}
}

/* One session does not take all the room. */
static void check_crowd(struct relays *all, struct relay *r)
{
	unsigned n = 0;

	for (struct relay *o = all->list; o; o = o->next)
		n += o->session == r->session && o->state < RELAY_CLOSING;
	if (n > SESSION_MAX)
		relay_close(r, TERM_CLOSE_TOO_MANY);
}

static void take_answers(struct relays *all)
{
	for (struct relay *r = all->list; r; r = r->next) {
		bool mine;

		pthread_mutex_lock(&all->lock);
		mine = r->state == RELAY_GRANT && !r->asked;
		pthread_mutex_unlock(&all->lock);
		if (!mine)
			continue;
		relay_step(r);
		check_crowd(all, r);
	}
}

static void check_deaf(struct relays *all)
{
	if (all->hearing || mono_ms() - all->deaf_since < DEAF_MS)
		return;
	for (struct relay *r = all->list; r; r = r->next)
		relay_close(r, TERM_CLOSE_GOING_AWAY);
}

static void sweep(struct relays *all)
{
	pthread_mutex_lock(&all->lock);
	for (struct relay **at = &all->list; *at;) {
		struct relay *r = *at;

		if (r->state != RELAY_DEAD || r->asked) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		all->count--;
		relay_free(r);
	}
	pthread_mutex_unlock(&all->lock);
}

static int step_due(struct relays *all)
{
	int64_t next = 1000;

	for (struct relay *r = all->list; r; r = r->next) {
		int64_t due = relay_due(r);

		if (due == 0)
			relay_step(r);
		due = relay_due(r);
		if (due >= 0 && due < next)
			next = due;
	}
	return (int)next;
}

static void *loop(void *arg)
{
	struct relays *all = arg;
	struct epoll_event ev[64];
	int timeout = 1000;

	for (;;) {
		int n = epoll_wait(all->ep, ev, 64, timeout);
		uint64_t count;

		for (int i = 0; i < n; i++) {
			if (ev[i].data.ptr)
				relay_step(ev[i].data.ptr);
			else if (read(all->wake, &count, sizeof(count)) < 0)
				continue;
		}
		take_fresh(all);
		take_answers(all);
		take_ends(all);
		check_deaf(all);
		timeout = step_due(all);
		sweep(all);
	}
	return NULL;
}

void relays_run(struct relays *all, struct workers *workers)
{
	struct epoll_event ev = { .events = EPOLLIN };
	pthread_t t;

	all->workers = workers;
	epoll_ctl(all->ep, EPOLL_CTL_ADD, all->wake, &ev);
	if (pthread_create(&t, NULL, loop, all))
		fatal("cannot start the relays");
	pthread_detach(t);
}
