// SPDX-License-Identifier: Apache-2.0
/*
 * IPv4 addresses are the node's for a time only.  priv knows until when each
 * block is, and takes its addresses out of the kernel's table by itself, so
 * that no fate of api lets an address stand that somebody else may have.  The
 * supervisor keeps these notes over priv's own death.
 */
#include "agent/priv.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "agent/libve/clean.h"
#include "agent/libve/fail.h"
#include "agent/libve/log.h"
#include "agent/netroute.h"
#include "agent/venv.h"

#define FENCES 256
#define KEY_VE (1ull << 63) /* | veid */
#define KEY_FENCE (1ull << 62) /* | number */

/* What the supervisor keeps for us, one of the two. */
struct notes {
	struct cidr range;
	int64_t until;
	uint32_t veid, epoch;
	struct addr ipv4, ipv6;
	struct rate up, down;
	bool egress;
};

_Static_assert(sizeof(struct notes) <= MSG_BLOB, "notes fit");

int64_t priv_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void keep(struct priv *p, uint64_t key, const struct notes *n)
{
	struct msg_keep k = { .head.type = n ? MSG_KEEP : MSG_DROP,
			      .key = key };

	if (n)
		memcpy(k.blob, n, sizeof(*n));
	msg_send(p->supervisor.fd, &k, NULL, 0);
}

static void keep_ve(struct priv *p, const struct priv_ve *v)
{
	struct notes n = { .veid = v->last.veid,
			   .epoch = v->epoch,
			   .ipv4 = v->ipv4,
			   .ipv6 = v->ipv6,
			   .up = v->up,
			   .down = v->down,
			   .egress = v->egress };
	bool any = v->ipv4.family || v->ipv6.family || !v->egress ||
		   v->up.rate || v->down.rate;

	keep(p, KEY_VE | v->last.veid, any ? &n : NULL);
}

static void set_address(struct priv *p, struct priv_ve *v, const struct addr *a,
			uint32_t epoch)
{
	v->ipv4 = *a;
	v->epoch = epoch;
	keep_ve(p, v);
}

static void route(bool add, const struct cidr *to)
{
	int r = netroute_set(add, to);
	char text[CIDR_TEXT];

	if (r < 0)
		log_err("route to %s: %s", cidr_print(text, to), strerror(-r));
}

static int bar(const struct priv_ve *v, const struct addr *a)
{
	int r = a->family ? netroute_egress(a, v->egress) : 0;

	if (r < 0)
		log_err("way out of VE %" PRIu32 ": %s", v->last.veid,
			strerror(-r));
	return r;
}

void priv_addr_egress(struct priv *p, struct priv_ve *v, bool may)
{
	v->egress = may;
	keep_ve(p, v);
	bar(v, &v->ipv4);
	bar(v, &v->ipv6);
}

void priv_addr_life(struct priv *p, struct priv_ve *v, const struct addr *a)
{
	int r;

	if (!a->family || bar(v, a) < 0)
		return;
	r = venv_addr_add(v->watch.fd, a, 0, 0);
	if (r < 0) {
		log_err("VE %" PRIu32 " gets no IPv6 address: %s", v->last.veid,
			strerror(-r));
		return;
	}
	v->ipv6 = *a;
	keep_ve(p, v);
	route(true, &(struct cidr){ .base = *a, .bits = 128 });
}

void priv_addr_forget(struct priv *p, struct priv_ve *v)
{
	if (!v->egress)
		priv_addr_egress(p, v, true); /* whoever has them next may */
	if (v->ipv6.family)
		route(false, &(struct cidr){ .base = v->ipv6, .bits = 128 });
	keep(p, KEY_VE | v->last.veid, NULL);
}

static int remove_address(struct priv *p, struct priv_ve *v,
			  const struct addr *a)
{
	int r = venv_addr_del(v->watch.fd, a);

	fail_point("priv-removed");
	/* what is not there is gone */
	if (r < 0 && r != -ENOENT && r != -EADDRNOTAVAIL)
		return r;
	if (!v->egress)
		netroute_egress(a, true);
	if (addr_equal(a, &v->ipv4))
		set_address(p, v, &(struct addr){ 0 }, 0);
	return 0;
}

/* Until when @a is the node's; 0 when it is not. */
static int64_t ours_until(const struct priv *p, const struct addr *a)
{
	for (const struct priv_fence *f = p->fences; f; f = f->next)
		if (cidr_contains(&f->range, a) && f->until > priv_now())
			return f->until;
	return 0;
}

static int add_address(struct priv *p, struct priv_ve *v,
		       const struct msg_addr *m)
{
	int64_t until = ours_until(p, &m->addr);
	int r;

	/* those of IPv6 are for life: MSG_START has them */
	if (!until)
		return -EACCES;
	if (v->ipv4.family)
		return addr_equal(&v->ipv4, &m->addr) ? 0 : -EBUSY;
	r = bar(v, &m->addr);
	if (r == 0)
		r = venv_addr_add(v->watch.fd, &m->addr, m->epoch, until);
	fail_point("priv-added");
	if (r == 0)
		set_address(p, v, &m->addr, m->epoch);
	fail_point("priv-add-noted");
	return r;
}

/* The block is ours for longer: so are its addresses, which the kernel would
 * else take out by itself, whatever became of us. */
static void prolong(struct priv *p, const struct priv_fence *f)
{
	for (unsigned i = 0; i < p->nves; i++) {
		struct priv_ve *v = p->ves[i];
		int r;

		if (!cidr_contains(&f->range, &v->ipv4))
			continue;
		r = venv_addr_add(v->watch.fd, &v->ipv4, v->epoch, f->until);
		if (r < 0)
			log_warn("the address of VE %" PRIu32
				 " is not prolonged: %s",
				 v->last.veid, strerror(-r));
	}
}

int answer_addr(struct priv *p, const struct msg *m, struct err *e)
{
	const struct msg_addr *a = &m->m.addr;
	struct priv_ve *v = priv_find(p, a->veid);
	char text[ADDR_TEXT];
	int r;

	if (a->addr.family != 4 && a->addr.family != 6)
		return err_set(e, -EINVAL, "no address");
	if (!v)
		return err_set(e, -ESRCH, "VE %" PRIu32 " is not running",
			       a->veid);
	r = a->add ? add_address(p, v, a) : remove_address(p, v, &a->addr);
	return r < 0 ? err_set(e, r, "%s address %s of VE %" PRIu32 ": %s",
			       a->add ? "adding" : "removing",
			       addr_print(text, &a->addr), a->veid,
			       strerror(-r))
		     : 0;
}

static struct priv_fence *find(struct priv *p, const struct cidr *c)
{
	for (struct priv_fence *f = p->fences; f; f = f->next)
		if (f->range.bits == c->bits &&
		    addr_equal(&f->range.base, &c->base))
			return f;
	return NULL;
}

static struct priv_fence *add(struct priv *p, const struct cidr *c,
			      uint64_t key)
{
	struct priv_fence *f;
	unsigned n = 0;

	for (f = p->fences; f; f = f->next)
		n++;
	if (n >= FENCES)
		return NULL;
	f = xcalloc(1, sizeof(*f));
	f->range = *c;
	f->key = key;
	f->next = p->fences;
	p->fences = f;
	return f;
}

int answer_fence(struct priv *p, const struct msg *m, struct err *e)
{
	const struct msg_fence *q = &m->m.fence;
	struct priv_fence *f = find(p, &q->range);
	struct notes n = { .range = q->range, .until = q->until };

	if (!cidr_is_block(&q->range))
		return err_set(e, -EINVAL, "fence: no IPv4 range of hosts");
	if (!f) {
		f = add(p, &q->range, KEY_FENCE | p->next_key++);
		if (!f)
			return err_set(e, -ENOSPC, "too many blocks");
		route(true, &q->range);
	}
	f->until = q->until;
	keep(p, f->key, &n);
	fail_point("priv-fence-noted");
	prolong(p, f);
	return 0;
}

void priv_addr_kept(struct priv *p, const struct msg_keep *k)
{
	struct priv_fence *f;
	struct priv_ve *v;
	struct notes n;

	memcpy(&n, k->blob, sizeof(n));
	if (k->key & KEY_VE) {
		v = priv_find(p, n.veid);
		if (v) {
			v->ipv4 = n.ipv4;
			v->ipv6 = n.ipv6;
			v->epoch = n.epoch;
			v->egress = n.egress;
			v->up = n.up;
			v->down = n.down;
			priv_shape(v, NULL);
		}
	} else if (k->key & KEY_FENCE) {
		f = find(p, &n.range);
		f = f ? f : add(p, &n.range, k->key);
		if (f)
			f->until = n.until;
		if ((k->key & ~KEY_FENCE) >= p->next_key)
			p->next_key = (k->key & ~KEY_FENCE) + 1;
	}
}

/* false: the kernel did not let go of one; try again. */
static bool empty(struct priv *p, const struct priv_fence *f)
{
	bool done = true;

	for (unsigned i = 0; i < p->nves; i++) {
		struct priv_ve *v = p->ves[i];
		char text[ADDR_TEXT];
		struct addr a = v->ipv4;
		int r;

		if (!cidr_contains(&f->range, &a))
			continue;
		r = remove_address(p, v, &a);
		log_warn("address %s of VE %" PRIu32 " is no longer ours: %s",
			 addr_print(text, &a), v->last.veid,
			 r < 0 ? strerror(-r) : "taken out");
		done = done && r == 0;
	}
	return done;
}

int priv_fence_due(struct priv *p, int most)
{
	int64_t now = priv_now(), next = now + most;

	for (struct priv_fence **at = &p->fences; *at;) {
		struct priv_fence *f = *at;

		if (f->until <= now && empty(p, f)) {
			*at = f->next;
			route(false, &f->range);
			keep(p, f->key, NULL);
			free(f);
			continue;
		}
		if (f->until <= now)
			next = now + 100;
		else if (f->until < next)
			next = f->until;
		at = &f->next;
	}
	return (int)(next - now);
}
