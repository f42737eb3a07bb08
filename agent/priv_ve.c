// SPDX-License-Identifier: Apache-2.0
#include "agent/priv.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/ve.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>

#include "agent/cgroup.h"
#include "agent/libve/clean.h"
#include "agent/libve/fail.h"
#include "agent/libve/log.h"
#include "agent/name.h"
#include "agent/overlay.h"
#include "agent/tree.h"
#include "agent/venv.h"

unsigned priv_above(const struct priv *p, uint32_t after)
{
	unsigned lo = 0, hi = p->nves;

	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;

		if (p->ves[mid]->last.veid > after)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

struct priv_ve *priv_find(const struct priv *p, uint32_t veid)
{
	unsigned i = veid ? priv_above(p, veid - 1) : p->nves;

	return i < p->nves && p->ves[i]->last.veid == veid ? p->ves[i] : NULL;
}

static void remember(struct priv *p, struct priv_ve *v)
{
	unsigned at = priv_above(p, v->last.veid);

	if (p->nves == p->room) {
		p->room = p->room ? 2 * p->room : 64;
		p->ves = xrealloc(p->ves, p->room * sizeof(*p->ves));
	}
	memmove(p->ves + at + 1, p->ves + at,
		(p->nves++ - at) * sizeof(*p->ves));
	p->ves[at] = v;
}

static void forget(struct priv *p, struct priv_ve *v)
{
	unsigned at = priv_above(p, v->last.veid - 1);

	memmove(p->ves + at, p->ves + at + 1,
		(--p->nves - at) * sizeof(*p->ves));
	priv_unwatch(p, &v->watch);
	clean_close(&v->cpu_fd);
	clean_close(&v->disk_fd);
	free(v);
}

/* Clean up after a VE that ended; false when it has not. */
static bool bury(struct priv *p, struct priv_ve *v)
{
	if (v->last.state != ENV_ST_STOPPED)
		return false;
	cgroup_remove(p->conf->cgroup, v->last.id_first);
	priv_addr_forget(p, v);
	forget(p, v);
	return true;
}

/* Ask the kernel and tell api what changed; forget a VE that ended. */
void priv_ve_event(struct priv *p, struct priv_ve *v)
{
	struct msg_state s = { .head.type = MSG_STATE };
	uint32_t was = v->last.state, veid = v->last.veid;
	int r = venv_query(v->watch.fd, &v->last);

	if (r < 0) {
		log_err("VE %" PRIu32 ": query: %s", veid, strerror(-r));
		return;
	}
	v->last.veid = veid;
	if (v->last.state == was)
		return;
	s.entry = v->last;
	priv_shape(v, NULL);
	bury(p, v);
	priv_tell(p, &s, NULL, 0);
}

/* Takes @fd. */
static struct priv_ve *adopt(struct priv *p, uint32_t veid, int fd)
{
	struct priv_ve *v = xcalloc(1, sizeof(*v));

	v->watch = (struct watch){ WATCH_VE, fd };
	v->cpu_fd = v->disk_fd = -1;
	v->egress = true; /* unless we are told, or noted, otherwise */
	if (venv_query(fd, &v->last) < 0 ||
	    priv_watch(p, &v->watch, EPOLLIN | EPOLLET) < 0) {
		log_err("VE %" PRIu32 " cannot be watched", veid);
		close(fd);
		free(v);
		return NULL;
	}
	v->last.veid = veid;
	remember(p, v);
	return v;
}

void priv_adopt(struct priv *p)
{
	uint32_t veids[MSG_ENTRIES], after = 0;
	int n;

	while ((n = venv_list(after, veids, MSG_ENTRIES)) > 0) {
		for (int i = 0; i < n; i++) {
			int fd = venv_open(veids[i]);

			struct priv_ve *v = fd < 0 ? NULL
						   : adopt(p, veids[i], fd);

			after = veids[i];
			if (v && !bury(p, v))
				log_info("VE %" PRIu32 " is running: adopted",
					 veids[i]);
		}
	}
	cgroup_sweep(p->conf->cgroup, priv_held_used, p);
}

static int check_start(struct priv *p, const struct msg_start *s, struct err *e)
{
	if (!is_veid(s->veid) || s->slot >= SLOT_MAX || !is_name(s->template) ||
	    !is_hostname(s->hostname) || !is_limits(&s->limits) ||
	    (s->ipv6.family != 0 &&
	     (s->ipv6.family != 6 || !addr_is_host(&s->ipv6))))
		return err_set(e, -EINVAL, "start: a field is out of range");
	if (priv_find(p, s->veid))
		return err_set(e, -EEXIST, "VE %" PRIu32 " is there already",
			       s->veid);
	if (priv_pack_busy(p, s->veid) ||
	    tree_is_packed(p->conf->private_dir, s->veid))
		return err_set(e, -EBADF, "the private tree of VE %" PRIu32
			       " is packed", s->veid);
	return 0;
}

/* Root of the VE: a detached overlay of template and private tree. */
static int make_root(struct priv *p, const struct msg_start *s,
		     const struct priv_held *h, struct err *e)
{
	int tmpl _close_ = tree_template(p->conf->template_dir, s->template, e);
	int tree _close_ = -1, ids _close_ = -1;

	if (tmpl < 0)
		return tmpl;
	tree = tree_open(p->conf->private_dir, s->veid, s->limits.disk, e);
	if (tree < 0)
		return tree;
	ids = venv_ids(h->fd);
	if (ids < 0)
		return err_set(e, ids, "ids of VE %" PRIu32 ": %s", s->veid,
			       strerror(-ids));
	return overlay_mount(tmpl, tree, ids, h->id_first, e);
}

static int start(const struct priv *p, const struct msg_start *s,
		 const struct cgroup_fds *g, int root, int fd, struct err *e)
{
	static char *const argv[] = { (char *)"/sbin/init", NULL };
	char *resolver _free_ = xasprintf("RESOLVER=%s", p->conf->resolver);
	char *const envp[] = {
		(char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:"
			"/usr/bin:/sbin:/bin",
		(char *)"TERM=linux", (char *)"container=vestibule", resolver, NULL
	};
	struct venv_spec spec = {
		.veid = s->veid,
		.root_fd = root,
		.init_cgroup_fd = g->init,
		.cgroup_fd = g->ve,
		.hostname = s->hostname,
		.init = { .path = argv[0], .argv = argv, .envp = envp },
	};
	int r = venv_start(fd, &spec);

	if (r == -ENOENT)
		return err_set(e, -ENOEXEC, "template '%s' has no %s",
			       s->template, argv[0]);
	return r < 0 ? err_set(e, r, "starting VE %" PRIu32 ": %s", s->veid,
			       strerror(-r))
		     : 0;
}

/* The VE's descriptor, or -errno with words. */
static int create(struct priv *p, const struct msg_start *s, struct err *e)
{
	struct priv_held h _held_ = PRIV_HELD_NONE;
	int root _close_ = -1;
	int r = priv_held_take(p, s->slot, &h, e);

	if (r < 0)
		return r;
	root = make_root(p, s, &h, e);
	r = root < 0 ? root : cgroup_limit(&h.group, &s->limits, e);
	if (r == 0)
		r = priv_limit_set(p, h.fd, h.id_first, &s->limits, e);
	if (r < 0) {
		priv_held_give(p, &h);
		return r;
	}
	priv_limit_io(p, &h.group, &s->limits);
	r = start(p, s, &h.group, root, h.fd, e);
	fail_point("priv-started");
	if (r == 0)
		return take_fd(&h.fd);
	cgroup_remove(p->conf->cgroup, h.id_first);
	return r;
}

int answer_start(struct priv *p, const struct msg *m, struct err *e)
{
	const struct msg_start *s = &m->m.start;
	struct msg_state now = { .head.type = MSG_STATE };
	int r = check_start(p, s, e), fd;
	struct priv_ve *v;

	/* who started it may have died before it had its address */
	if (r == -EEXIST)
		priv_addr_life(p, priv_find(p, s->veid), &s->ipv6);
	if (r < 0)
		return r;
	fd = create(p, s, e);
	if (fd < 0)
		return fd;
	v = adopt(p, s->veid, fd);
	if (!v)
		return err_set(e, -EIO, "VE %" PRIu32 " cannot be watched",
			       s->veid);
	now.entry = v->last;
	priv_tell(p, &now, NULL, 0);
	if (bury(p, v))
		return 0; /* it ended at once, as the state says */
	priv_limit_keep(p, v, &s->limits);
	priv_shape(v, NULL);
	priv_addr_life(p, v, &s->ipv6);
	return 0;
}

int answer_stop(struct priv *p, const struct msg *m, struct err *e)
{
	struct priv_ve *v = priv_find(p, m->m.ve.veid);
	uint32_t sig = m->m.ve.arg;
	int r;

	if (!v)
		return err_set(e, -ESRCH, "VE %" PRIu32 " is not running",
			       m->m.ve.veid);
	if (sig == SIGKILL)
		r = venv_kill(v->watch.fd);
	else if (sig == SIGPWR || sig == SIGUSR2 || sig == SIGTERM ||
		 sig == SIGINT)
		r = venv_signal(v->watch.fd, (int)sig);
	else
		return err_set(e, -EINVAL, "signal %" PRIu32 " is not for init",
			       sig);
	return r < 0 ? err_set(e, r, "stopping VE %" PRIu32 ": %s",
			       m->m.ve.veid, strerror(-r))
		     : 0;
}

int answer_erase(struct priv *p, const struct msg *m, struct err *e)
{
	uint32_t veid = m->m.ve.veid;
	int r;

	if (!is_veid(veid))
		return err_set(e, -EINVAL, "erase: no such veid");
	if (priv_find(p, veid))
		return err_set(e, -EBUSY, "VE %" PRIu32 " is running", veid);
	if (priv_pack_busy(p, veid))
		return err_set(e, -EBUSY, "the pack of VE %" PRIu32
			       " is under way", veid);
	r = tree_erase(p->conf->private_dir, veid, e);
	if (r == 0)
		p->sweep_due = 0;
	return r;
}
