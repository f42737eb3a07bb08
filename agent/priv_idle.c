// SPDX-License-Identifier: Apache-2.0
#include "agent/priv.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/ve.h>
#include <string.h>

#include "agent/cgroup.h"
#include "agent/libve/fail.h"
#include "agent/venv.h"

int answer_freeze(struct priv *p, const struct msg *m, struct err *e)
{
	uint32_t veid = m->m.ve.veid, freeze = m->m.ve.arg;
	struct priv_ve *v = priv_find(p, veid);
	int r;

	if (freeze > 1)
		return err_set(e, -EINVAL, "freeze: 0 or 1");
	if (!v)
		return err_set(e, -ESRCH, "VE %" PRIu32 " is not running",
			       veid);
	if (!freeze)
		cgroup_hot(p->conf->cgroup, v->last.id_first,
			   priv_limit_swap(p, v));
	r = venv_freeze(v->watch.fd, freeze != 0);
	fail_point(freeze ? "priv-frozen" : "priv-thawed");
	/* one that is as wanted already: asked for again after a death */
	if (r == -EBUSY &&
	    v->last.state == (freeze ? ENV_ST_FROZEN : ENV_ST_RUNNING)) {
		struct msg_state s = { .head.type = MSG_STATE,
				       .entry = v->last };

		/* who asks again may never have heard of it */
		priv_tell(p, &s, NULL, 0);
		r = 0;
	}
	if (r < 0)
		return err_set(e, r, "%s VE %" PRIu32 ": %s",
			       freeze ? "freezing" : "thawing", veid,
			       strerror(-r));
	if (freeze)
		cgroup_cold(p->conf->cgroup, v->last.id_first);
	priv_ve_event(p, v);
	return 0;
}

/* The file is opened once: a VE is asked for it again and again. */
static int64_t cpu_ms(struct priv *p, struct priv_ve *v)
{
	if (v->cpu_fd < 0)
		v->cpu_fd = cgroup_cpu_open(p->conf->cgroup,
					    v->last.id_first);
	return cgroup_cpu_ms(v->cpu_fd);
}

static int64_t disk_ms(struct priv *p, struct priv_ve *v)
{
	if (v->disk_fd < 0)
		v->disk_fd = cgroup_disk_open(p->conf->cgroup,
					      v->last.id_first);
	return cgroup_disk_ms(v->disk_fd);
}

void answer_activity(struct priv *p, const struct msg *m)
{
	struct msg_activities r = { .head = { MSG_ACTIVITIES, m->m.head.id } };

	for (unsigned i = priv_above(p, m->m.ve.veid); i < p->nves; i++) {
		struct msg_activity *a = &r.entries[r.nr];
		struct priv_ve *v = p->ves[i];

		if (v->last.state != ENV_ST_RUNNING)
			continue;
		if (r.nr == MSG_ENTRIES) {
			r.more = 1;
			break;
		}
		*a = (struct msg_activity){ .veid = v->last.veid };
		a->cpu_ms = cpu_ms(p, v);
		a->disk_ms = disk_ms(p, v);
		venv_activity(v->watch.fd, a);
		r.nr++;
	}
	priv_tell(p, &r, NULL, 0);
}
