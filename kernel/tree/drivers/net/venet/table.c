// SPDX-License-Identifier: GPL-2.0-only
/*
 * The address table: which VE an address belongs to.  Readers are packets,
 * under RCU; writers are few and take a mutex.  An address has one owner: the
 * second one is refused, and that is one of the locks that keep an address
 * from being lent twice.
 */
#include "venet.h"

#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/ve.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

DEFINE_MUTEX(venet_mutex);

static struct rhashtable venet_table;

static const struct rhashtable_params venet_params = {
	.key_len		= sizeof(struct in6_addr),
	.key_offset		= offsetof(struct venet_addr, key),
	.head_offset		= offsetof(struct venet_addr, node),
	.automatic_shrinking	= true,
};

int venet_table_init(void)
{
	return rhashtable_init(&venet_table, &venet_params);
}

static bool venet_expired(const struct venet_addr *a, u64 now)
{
	u64 deadline = READ_ONCE(a->deadline);

	return deadline && now >= deadline;
}

/* A row whose time has passed leads nowhere, whoever takes it out when. */
struct venet_addr *venet_lookup(const struct in6_addr *key)
{
	struct venet_addr *a;

	a = rhashtable_lookup(&venet_table, key, venet_params);
	return a && !venet_expired(a, ktime_get_coarse_boottime_ns()) ? a : NULL;
}

/* ---- deadlines ---------------------------------------------------------- */

static LIST_HEAD(venet_timed);		/* rows with a deadline, under venet_mutex */
static u64 venet_armed = U64_MAX;	/* when the worker looks next; the same */

static void venet_expire_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(venet_expire, venet_expire_work);

static void venet_arm(u64 deadline)
{
	u64 now = ktime_get_boottime_ns();
	u64 wait = deadline > now ? nsecs_to_jiffies64(deadline - now) + 1 : 0;

	lockdep_assert_held(&venet_mutex);
	if (deadline >= venet_armed)
		return;
	venet_armed = deadline;
	/* CLOCK_BOOTTIME may jump where jiffies do not: look again in time. */
	mod_delayed_work(system_unbound_wq, &venet_expire, min_t(u64, wait, HZ));
}

static void venet_set_deadline(struct venet_addr *a, u64 deadline)
{
	lockdep_assert_held(&venet_mutex);
	WRITE_ONCE(a->deadline, deadline);
	list_del_init(&a->timed);
	if (deadline) {
		list_add_tail(&a->timed, &venet_timed);
		venet_arm(deadline);
	}
}

/* ---- rows --------------------------------------------------------------- */

int venet_table_add(struct venet_ve *v, const struct in6_addr *key, u32 epoch,
		    u64 deadline)
{
	struct venet_addr *a, *old;

	a = kzalloc(sizeof(*a), GFP_KERNEL_ACCOUNT);
	if (!a)
		return -ENOMEM;
	a->key = *key;
	a->v = v;
	a->epoch = epoch;
	INIT_LIST_HEAD(&a->timed);

	guard(mutex)(&venet_mutex);
	/* The state says so before venet_stop() takes the rows out. */
	if (ve_state(v->ve) >= ENV_ST_STOPPING) {
		kfree(a);
		return -ESRCH;
	}
	old = rhashtable_lookup_get_insert_fast(&venet_table, &a->node,
						venet_params);
	if (old) {
		kfree(a);
		if (IS_ERR(old))
			return PTR_ERR(old);
		if (old->v != v)
			return -EADDRINUSE;
		old->epoch = epoch;
		venet_set_deadline(old, deadline);
		return 1;
	}
	list_add_tail(&a->of_ve, &v->addrs);
	v->nr_addrs++;
	venet_set_deadline(a, deadline);
	return 0;
}

static void venet_remove(struct venet_addr *a)
{
	lockdep_assert_held(&venet_mutex);
	rhashtable_remove_fast(&venet_table, &a->node, venet_params);
	list_del(&a->of_ve);
	list_del(&a->timed);
	a->v->nr_addrs--;
	kfree_rcu(a, rcu);
}

bool venet_owns(const struct venet_ve *v, const struct in6_addr *key)
{
	struct venet_addr *a;

	guard(mutex)(&venet_mutex);
	a = rhashtable_lookup_fast(&venet_table, key, venet_params);
	return a && a->v == v;
}

int venet_table_del(struct venet_ve *v, const struct in6_addr *key)
{
	struct venet_addr *a;

	guard(mutex)(&venet_mutex);
	a = rhashtable_lookup_fast(&venet_table, key, venet_params);
	if (!a || a->v != v)
		return -EADDRNOTAVAIL;
	venet_remove(a);
	return 0;
}

void venet_table_flush(struct venet_ve *v)
{
	struct venet_addr *a, *next;

	guard(mutex)(&venet_mutex);
	list_for_each_entry_safe(a, next, &v->addrs, of_ve)
		venet_remove(a);
}

/* The VE of a row whose time has passed, counted, and its address. */
static struct ve_struct *venet_find_expired(u64 now, struct in6_addr *key)
{
	struct venet_addr *a;

	guard(mutex)(&venet_mutex);
	list_for_each_entry(a, &venet_timed, timed)
		if (venet_expired(a, now) && refcount_inc_not_zero(&a->v->ve->ref)) {
			*key = a->key;
			return a->v->ve;
		}
	return NULL;
}

/* Take it out, unless it has been renewed, taken out or lent to another meanwhile. */
static bool venet_table_expire(const struct venet_ve *v,
			       const struct in6_addr *key, u64 now)
{
	struct venet_addr *a;

	guard(mutex)(&venet_mutex);
	a = rhashtable_lookup_fast(&venet_table, key, venet_params);
	if (!a || a->v != v || !venet_expired(a, now))
		return false;
	pr_warn_ratelimited("venet: VE %u lost %pI6c: nobody renewed its lease\n",
			    a->v->ve->veid, key);
	venet_remove(a);
	return true;
}

/* One row whose time has passed; false when there is none. */
static bool venet_expire_one(u64 now)
{
	struct in6_addr key;
	struct ve_struct *ve = venet_find_expired(now, &key);

	if (!ve)
		return false;
	/* An address that comes again is put in order after we have taken it out. */
	scoped_guard(mutex, &ve->lock) {
		if (venet_table_expire(ve->net, &key, now) && ve->nsproxy) {
			struct net *net = ve->nsproxy->net_ns;

			venet_abort(ve->net, net, &key);
			venet_config_del(net, ve->net->dev->ifindex, &key);
		}
	}
	ve_put(ve);
	return true;
}

static void venet_expire_work(struct work_struct *work)
{
	u64 now = ktime_get_boottime_ns(), first = U64_MAX;
	struct venet_addr *a;

	while (venet_expire_one(now))
		cond_resched();

	guard(mutex)(&venet_mutex);
	list_for_each_entry(a, &venet_timed, timed)
		first = min(first, a->deadline);
	venet_armed = U64_MAX;
	if (first != U64_MAX)
		venet_arm(first);
}

void venet_table_walk(int (*fn)(const struct venet_addr *a, void *arg),
		      void *arg)
{
	struct rhashtable_iter iter;
	struct venet_addr *a;

	lockdep_assert_held(&venet_mutex);
	rhashtable_walk_enter(&venet_table, &iter);
	rhashtable_walk_start(&iter);
	while ((a = rhashtable_walk_next(&iter))) {
		/* -EAGAIN: the table was resized, rows may come again. */
		if (!IS_ERR(a) && fn(a, arg))
			break;
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

#ifdef CONFIG_VE_KUNIT_TEST

#include <kunit/test.h>
#include <net/ipv6.h>

static void test_one_owner(struct kunit *test)
{
	struct venet_ve a = { .ve = &ve0, .addrs = LIST_HEAD_INIT(a.addrs) };
	struct venet_ve b = { .ve = &ve0, .addrs = LIST_HEAD_INIT(b.addrs) };
	struct in6_addr v4, v6 = { .s6_addr = { 0xfd, 1, [15] = 9 } };

	ipv6_addr_set_v4mapped(htonl(0x0a4d0005), &v4);
	KUNIT_EXPECT_EQ(test, venet_table_add(&a, &v4, 1, 0), 0);
	KUNIT_EXPECT_EQ(test, venet_table_add(&a, &v4, 2, 0), 1);
	KUNIT_EXPECT_EQ(test, venet_table_add(&b, &v4, 3, 0), -EADDRINUSE);
	KUNIT_EXPECT_EQ(test, venet_table_add(&b, &v6, 4, 0), 0);
	KUNIT_EXPECT_EQ(test, a.nr_addrs, 1);
	KUNIT_EXPECT_EQ(test, b.nr_addrs, 1);

	scoped_guard(rcu) {
		KUNIT_EXPECT_PTR_EQ(test, venet_lookup(&v4)->v, &a);
		KUNIT_EXPECT_EQ(test, venet_lookup(&v4)->epoch, 2);
	}
	/* Only the owner gives it back; then somebody else may have it. */
	KUNIT_EXPECT_EQ(test, venet_table_del(&b, &v4), -EADDRNOTAVAIL);
	KUNIT_EXPECT_EQ(test, venet_table_del(&a, &v4), 0);
	KUNIT_EXPECT_EQ(test, venet_table_del(&a, &v4), -EADDRNOTAVAIL);
	KUNIT_EXPECT_EQ(test, venet_table_add(&b, &v4, 5, 0), 0);
	KUNIT_EXPECT_EQ(test, b.nr_addrs, 2);

	venet_table_flush(&b);
	KUNIT_EXPECT_EQ(test, b.nr_addrs, 0);
	scoped_guard(rcu) {
		KUNIT_EXPECT_NULL(test, venet_lookup(&v4));
		KUNIT_EXPECT_NULL(test, venet_lookup(&v6));
	}
}

/* Nothing comes to a VE that has begun to stop. */
static void test_stopping(struct kunit *test)
{
	static struct ve_struct ve = { .state = ENV_ST_STOPPING };
	struct venet_ve a = { .ve = &ve, .addrs = LIST_HEAD_INIT(a.addrs) };
	struct in6_addr v6 = { .s6_addr = { 0xfd, 2, [15] = 9 } };

	KUNIT_EXPECT_EQ(test, venet_table_add(&a, &v6, 1, 0), -ESRCH);
	KUNIT_EXPECT_EQ(test, a.nr_addrs, 0);
	scoped_guard(rcu)
		KUNIT_EXPECT_NULL(test, venet_lookup(&v6));
	ve.state = ENV_ST_RUNNING;
	KUNIT_EXPECT_EQ(test, venet_table_add(&a, &v6, 1, 0), 0);
	KUNIT_EXPECT_EQ(test, venet_table_del(&a, &v6), 0);
}

static void test_deadline(struct kunit *test)
{
	struct venet_addr a = { .deadline = 0 };

	KUNIT_EXPECT_FALSE(test, venet_expired(&a, U64_MAX));
	a.deadline = 1000;
	KUNIT_EXPECT_FALSE(test, venet_expired(&a, 999));
	KUNIT_EXPECT_TRUE(test, venet_expired(&a, 1000));
}

static struct kunit_case venet_cases[] = {
	KUNIT_CASE(test_one_owner),
	KUNIT_CASE(test_stopping),
	KUNIT_CASE(test_deadline),
	{}
};

static struct kunit_suite venet_suite = {
	.name = "venet_table",
	.test_cases = venet_cases,
};
kunit_test_suite(venet_suite);

#endif /* CONFIG_VE_KUNIT_TEST */
