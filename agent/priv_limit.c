// SPDX-License-Identifier: Apache-2.0
/*
 * Bounds of VEs: beancounters, CPU, new flows, bandwidth; what is used of them,
 * and what was refused.  A VE has its bounds before its init runs anything.  A
 * class of bandwidth is there as long as its VE is active: it is node-local and
 * named by the VE's slot, the mark of its packets the same.
 */
#include "agent/priv.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/ve.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/name.h"
#include "agent/shape.h"
#include "agent/tree.h"
#include "agent/venv.h"

#define PAGE 4096
#define CLASS_FIRST 16 /* below are the node's own */
#define REFUSALS_S 128 /* read a second; the kernel counts what it drops */

static uint32_t class_of(uint32_t id_first)
{
	return CLASS_FIRST + (id_first - SLOT_FIRST) / SLOT_SIZE;
}

/* ---- bounds ---------------------------------------------------------------- */

/* Every row: as it is named, as the simple limits say, or without a bound. */
static void want_beans(const struct limits *l, struct beans *b)
{
	*b = l->beans;
	for (unsigned i = 0; i < BEANS; i++) {
		uint64_t barrier = BEAN_MAX, limit = BEAN_MAX;

		if (!bean_name(i) || bean_is_set(b, i))
			continue;
		if (i == BEAN_NUMPROC) {
			barrier = l->processes;
			limit = barrier + BEAN_NUMPROC_HELP;
		} else if (i == BEAN_PHYSPAGES)
			barrier = limit = l->memory / PAGE;
		else if (i == BEAN_VMGUARPAGES || i == BEAN_OOMGUARPAGES)
			barrier = 0; /* a guarantee: none */
		bean_set(b, i, barrier, limit);
	}
}

static int set_beans(int fd, const struct limits *l, struct err *e)
{
	struct bean_stat now[BEANS];
	struct beans b;
	int r = venv_beans_stat(fd, now);

	want_beans(l, &b);
	for (unsigned i = 0; r == 0 && i < BEANS; i++)
		if (b.of[i].barrier == now[i].barrier &&
		    b.of[i].limit == now[i].limit)
			b.set &= ~(1u << i);
	if (r == 0 && b.set)
		r = venv_beans_set(fd, &b);
	return r < 0 ? err_set(e, r, "beancounters: %s", strerror(-r)) : 0;
}

static bool is_shaped(const struct rate *up, const struct rate *down)
{
	return up->rate || down->rate;
}

static bool asks_kernel(const struct limits *l)
{
	return l->beans.set || l->cpu_cap || l->cpus || l->flow_rate ||
	       is_shaped(&l->up, &l->down);
}

int priv_limit_set(struct priv *p, int fd, uint32_t id_first,
		   const struct limits *l, struct err *e)
{
	uint32_t mark = is_shaped(&l->up, &l->down)
				? SHAPE_MARK(class_of(id_first))
				: 0;
	int r;

	if (p->refusals.fd < 0)
		return asks_kernel(l) ? err_set(e, -ENOTSUP,
						"this kernel counts nothing:"
						" boot the patched kernel")
				      : 0;
	r = set_beans(fd, l, e);
	if (r < 0)
		return r;
	r = venv_cpu(fd, l->cpu_weight, l->cpu_cap * 10000000ull, l->cpus);
	if (r < 0)
		return err_set(e, r, "CPU: %s", strerror(-r));
	r = venv_net_limit(fd, mark, shape_packets(&l->up), l->flow_rate,
			   l->flow_burst);
	return r < 0 ? err_set(e, r, "new flows: %s", strerror(-r)) : 0;
}

void priv_limit_io(struct priv *p, const struct cgroup_fds *g,
		   const struct limits *l)
{
	int r;

	if (!l->io_weight && !p->io_on)
		return;
	r = p->io_on ? 0 : cgroup_io_on(p->conf->cgroup, p->conf->private_dir);
	p->io_on = true; /* or it never will be */
	if (r == 0)
		r = cgroup_io(g, l->io_weight ? l->io_weight : 100);
	if (r < 0)
		log_warn("the disk's time is not shared by weight: %s",
			 strerror(-r));
}

int answer_limits(struct priv *p, const struct msg *m, struct err *e)
{
	const struct msg_limits *l = &m->m.limits;
	struct cgroup_fds g _cgroup_ = { -1, -1, -1 };
	struct priv_ve *v;
	int r;

	if (!is_veid(l->veid) || !is_limits(&l->limits))
		return err_set(e, -EINVAL, "limits: a field is out of range");
	r = tree_limit(p->conf->private_dir, l->veid, l->limits.disk, e);
	v = priv_find(p, l->veid);
	if (r < 0 || !v)
		return r;
	r = priv_limit_set(p, v->watch.fd, v->last.id_first, &l->limits, e);
	if (r < 0)
		return r;
	priv_limit_keep(p, v, &l->limits);
	r = cgroup_open(p->conf->cgroup, v->last.id_first, &g, e);
	if (r == 0)
		r = cgroup_limit(&g, &l->limits, e);
	if (r == 0)
		priv_limit_io(p, &g, &l->limits);
	return r < 0 ? r : priv_shape(v, e);
}

/* ---- bandwidth ------------------------------------------------------------- */

void priv_limit_keep(struct priv *p, struct priv_ve *v, const struct limits *l)
{
	v->up = l->up;
	v->down = l->down;
	priv_addr_egress(p, v, l->egress); /* which keeps all the notes */
}

int priv_shape(struct priv_ve *v, struct err *e)
{
	bool want = v->last.state == ENV_ST_RUNNING &&
		    is_shaped(&v->up, &v->down);
	uint32_t class = class_of(v->last.id_first);
	int r = 0;

	if (want)
		r = shape_set(class, &v->up, &v->down);
	else if (v->shaped)
		r = shape_drop(class);
	if (r == 0)
		v->shaped = want;
	else
		log_err("bandwidth of VE %" PRIu32 ": %s", v->last.veid,
			strerror(-r));
	return r < 0 ? err_set(e, r, "bandwidth of VE %" PRIu32 ": %s",
			       v->last.veid, strerror(-r))
		     : 0;
}

/* Whether an active VE has it; told of each class that was there before us. */
static bool adopt_class(void *arg, uint32_t class)
{
	struct priv *p = arg;

	for (unsigned i = 0; i < p->nves; i++) {
		struct priv_ve *v = p->ves[i];

		if (class_of(v->last.id_first) != class ||
		    v->last.state != ENV_ST_RUNNING)
			continue;
		v->shaped = true; /* its rates come with the notes */
		return true;
	}
	return false;
}

void priv_limit_adopt(struct priv *p)
{
	shape_adopt(adopt_class, p);
}

/* ---- usage ----------------------------------------------------------------- */

void answer_usage(struct priv *p, const struct msg *m)
{
	struct msg_usage u = { .head = { MSG_USAGE_IS, m->m.head.id },
			       .veid = m->m.ve.veid };
	struct priv_ve *v = priv_find(p, u.veid);

	if (v && p->refusals.fd >= 0)
		u.counted = venv_beans_stat(v->watch.fd, u.beans) == 0 &&
			    venv_net_stat(v->watch.fd, &u.net) == 0;
	priv_tell(p, &u, NULL, 0);
}

uint64_t priv_limit_swap(struct priv *p, const struct priv_ve *v)
{
	struct bean_stat now[BEANS];

	if (p->refusals.fd < 0 || venv_beans_stat(v->watch.fd, now) < 0 ||
	    now[BEAN_SWAPPAGES].limit > BEAN_MAX / PAGE)
		return 0; /* unnamed: nothing while it is awake */
	return now[BEAN_SWAPPAGES].limit * PAGE;
}

/* ---- refusals -------------------------------------------------------------- */

void priv_refusals_open(struct priv *p)
{
	p->refusals = (struct watch){ WATCH_REFUSALS, venv_refusals_open() };
	if (p->refusals.fd < 0)
		log_warn("this kernel counts no resources of VEs: %s",
			 strerror(-p->refusals.fd));
}

/* Nobody would hear, or too many came: they wait in the kernel. */
void priv_refusals_listen(struct priv *p, bool listen)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &p->refusals };

	if (p->refusals.fd < 0 || listen == p->listening)
		return;
	epoll_ctl(p->ep, listen ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, p->refusals.fd,
		  &ev);
	p->listening = listen;
}

void priv_refusals_event(struct priv *p)
{
	struct msg_refusals m = { .head.type = MSG_REFUSED };
	int64_t now = priv_now();
	int n = venv_refusals_read(p->refusals.fd, m.entries, MSG_REFUSALS);

	if (n <= 0)
		return;
	m.nr = (uint32_t)n;
	priv_tell(p, &m, NULL, 0);
	if (now - p->refusals_since >= 1000) {
		p->refusals_since = now;
		p->refusals_read = 0;
	}
	p->refusals_read += m.nr;
	if (p->refusals_read >= REFUSALS_S)
		priv_refusals_listen(p, false);
}

int priv_refusals_due(struct priv *p, int most)
{
	int64_t left = p->refusals_since + 1000 - priv_now();

	if (p->listening || p->refusals.fd < 0 || p->api.fd < 0)
		return most;
	if (left > 0)
		return left < most ? (int)left : most;
	priv_refusals_listen(p, true);
	return most;
}
