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

struct venet_addr *venet_lookup(const struct in6_addr *key)
{
	return rhashtable_lookup(&venet_table, key, venet_params);
}

int venet_table_add(struct venet_ve *v, const struct in6_addr *key, u32 epoch)
{
	struct venet_addr *a, *old;

	a = kzalloc(sizeof(*a), GFP_KERNEL_ACCOUNT);
	if (!a)
		return -ENOMEM;
	a->key = *key;
	a->v = v;
	a->epoch = epoch;

	guard(mutex)(&venet_mutex);
	old = rhashtable_lookup_get_insert_fast(&venet_table, &a->node,
						venet_params);
	if (old) {
		kfree(a);
		if (IS_ERR(old))
			return PTR_ERR(old);
		return old->v == v ? -EEXIST : -EADDRINUSE;
	}
	list_add_tail(&a->of_ve, &v->addrs);
	v->nr_addrs++;
	return 0;
}

static void venet_remove(struct venet_addr *a)
{
	lockdep_assert_held(&venet_mutex);
	rhashtable_remove_fast(&venet_table, &a->node, venet_params);
	list_del(&a->of_ve);
	a->v->nr_addrs--;
	kfree_rcu(a, rcu);
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
	struct venet_ve a = { .addrs = LIST_HEAD_INIT(a.addrs) };
	struct venet_ve b = { .addrs = LIST_HEAD_INIT(b.addrs) };
	struct in6_addr v4, v6 = { .s6_addr = { 0xfd, 1, [15] = 9 } };

	ipv6_addr_set_v4mapped(htonl(0x0a4d0005), &v4);
	KUNIT_EXPECT_EQ(test, venet_table_add(&a, &v4, 1), 0);
	KUNIT_EXPECT_EQ(test, venet_table_add(&a, &v4, 2), -EEXIST);
	KUNIT_EXPECT_EQ(test, venet_table_add(&b, &v4, 3), -EADDRINUSE);
	KUNIT_EXPECT_EQ(test, venet_table_add(&b, &v6, 4), 0);
	KUNIT_EXPECT_EQ(test, a.nr_addrs, 1);
	KUNIT_EXPECT_EQ(test, b.nr_addrs, 1);

	scoped_guard(rcu) {
		KUNIT_EXPECT_PTR_EQ(test, venet_lookup(&v4)->v, &a);
		KUNIT_EXPECT_EQ(test, venet_lookup(&v4)->epoch, 1);
	}
	/* Only the owner gives it back; then somebody else may have it. */
	KUNIT_EXPECT_EQ(test, venet_table_del(&b, &v4), -EADDRNOTAVAIL);
	KUNIT_EXPECT_EQ(test, venet_table_del(&a, &v4), 0);
	KUNIT_EXPECT_EQ(test, venet_table_del(&a, &v4), -EADDRNOTAVAIL);
	KUNIT_EXPECT_EQ(test, venet_table_add(&b, &v4, 5), 0);
	KUNIT_EXPECT_EQ(test, b.nr_addrs, 2);

	venet_table_flush(&b);
	KUNIT_EXPECT_EQ(test, b.nr_addrs, 0);
	scoped_guard(rcu) {
		KUNIT_EXPECT_NULL(test, venet_lookup(&v4));
		KUNIT_EXPECT_NULL(test, venet_lookup(&v6));
	}
}

static struct kunit_case venet_cases[] = {
	KUNIT_CASE(test_one_owner),
	{}
};

static struct kunit_suite venet_suite = {
	.name = "venet_table",
	.test_cases = venet_cases,
};
kunit_test_suite(venet_suite);

#endif /* CONFIG_VE_KUNIT_TEST */
