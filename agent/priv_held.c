// SPDX-License-Identifier: Apache-2.0
/*
 * VEs made ahead: namespaces, control groups and a range of ids, no number and
 * no process yet.  A start takes one and gives it the rest; another is made when
 * there is nothing else to do.  Nobody else has their descriptors, so the kernel
 * takes them down when we die; their groups our next life sweeps away.
 */
#include "agent/priv.h"

#include <string.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/name.h"
#include "agent/venv.h"

#define RETRY_MS 5000

bool priv_held_used(const void *priv, uint32_t id_first)
{
	const struct priv *p = priv;

	for (unsigned i = 0; i < p->nheld; i++)
		if (p->held[i].id_first == id_first)
			return true;
	for (unsigned i = 0; i < p->nves; i++)
		if (p->ves[i]->last.id_first == id_first)
			return true;
	return false;
}

/* There are more slots than a node may have VEs (max_ves, HELD_MAX). */
static int make(struct priv *p, uint32_t slot, struct priv_held *h,
		struct err *e)
{
	int r;

	while (priv_held_used(p, slot_id(slot))) {
		slot = p->next_slot;
		p->next_slot = (slot + 1) % SLOT_MAX;
	}
	h->id_first = slot_id(slot);
	h->fd = venv_hold(h->id_first, SLOT_SIZE);
	if (h->fd < 0)
		return err_set(e, h->fd, "env_create: %s", strerror(-h->fd));
	r = cgroup_make(p->conf->cgroup, h->id_first, &h->group, e);
	if (r < 0)
		cgroup_remove(p->conf->cgroup, h->id_first);
	return r;
}

void priv_held_close(struct priv_held *h)
{
	clean_close(&h->fd);
	cgroup_close(&h->group);
}

void priv_held_tell(struct priv *p)
{
	struct msg_ve m = { .head.type = MSG_HELD, .arg = p->nheld };

	priv_tell(p, &m, NULL, 0);
}

int priv_held_take(struct priv *p, uint32_t slot, struct priv_held *h,
		   struct err *e)
{
	if (!p->nheld)
		return make(p, slot, h, e);
	*h = p->held[--p->nheld];
	priv_held_tell(p);
	return 0;
}

void priv_held_give(struct priv *p, struct priv_held *h)
{
	if (p->nheld == HELD_MAX || p->nheld == (unsigned)p->conf->held) {
		cgroup_remove(p->conf->cgroup, h->id_first);
		return;
	}
	p->held[p->nheld++] = *h;
	*h = (struct priv_held)PRIV_HELD_NONE;
	priv_held_tell(p);
}

bool priv_held_wanted(const struct priv *p)
{
	return p->abi && p->nheld < (unsigned)p->conf->held &&
	       priv_now() >= p->held_due;
}

void priv_held_make(struct priv *p)
{
	struct priv_held h _held_ = PRIV_HELD_NONE;
	struct err e = { 0 };

	if (make(p, p->next_slot, &h, &e) == 0) {
		priv_held_give(p, &h);
		return;
	}
	p->held_due = priv_now() + RETRY_MS;
	log_warn("no VE can be made ahead: %s", e.text);
}
