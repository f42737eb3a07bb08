// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VE object, the registry of VEs by number, and their states.
 *
 *   EMBRYO -> STARTING -> RUNNING <-> FROZEN
 *      |          |          |           |
 *      |          `----.     v           |
 *      |               |  STOPPING <-----'
 *      v               v     v
 *   STOPPED <----------'-- STOPPED
 *
 * A number is taken when a start begins and is free again as soon as the last
 * task is gone: a VE that starts anew under the same number is another object,
 * and nothing that outlives the old one (a socket in its network namespace,
 * say) is taken for the new one's.
 */
#include "ve.h"

#include <linux/init.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/ub.h>
#include <linux/spinlock.h>
#include <linux/ve_stat.h>
#include <linux/xarray.h>

struct ve_struct ve0 = {
	.veid		= ENV_VEID_NODE,
	.ref		= REFCOUNT_INIT(1),
	.state		= ENV_ST_RUNNING,
	.features	= ~0ULL,
	.user_ns	= &init_user_ns,
	.id_count	= U32_MAX,
	.lock		= __MUTEX_INITIALIZER(ve0.lock),
	.wait		= __WAIT_QUEUE_HEAD_INITIALIZER(ve0.wait),
	.all		= LIST_HEAD_INIT(ve0.all),
	.alarm		= RATELIMIT_STATE_INIT(ve0.alarm, DEFAULT_RATELIMIT_INTERVAL,
					       DEFAULT_RATELIMIT_BURST),
};

static DEFINE_XARRAY_FLAGS(ve_xa, XA_FLAGS_LOCK_IRQ);
static LIST_HEAD(ve_list);
static DEFINE_SPINLOCK(ve_list_lock);

struct ve_struct *ve_alloc(void)
{
	struct ve_struct *ve;

	ve = kzalloc(sizeof(*ve), GFP_KERNEL_ACCOUNT);
	if (!ve)
		return NULL;
	ve->ub = ub_alloc();
	ve->shown = ve_shown_alloc();
	if (!ve->ub || !ve->shown) {
		ub_put(ve->ub);
		kfree(ve->shown);
		kfree(ve);
		return NULL;
	}
	refcount_set(&ve->ref, 1);
	ve->state = ENV_ST_EMBRYO;
	mutex_init(&ve->lock);
	init_waitqueue_head(&ve->wait);
	ratelimit_default_init(&ve->alarm);
	ve_cpu_init(ve);
	ve_load_init(ve);

	spin_lock_irq(&ve_list_lock);
	list_add_tail(&ve->all, &ve_list);
	spin_unlock_irq(&ve_list_lock);
	return ve;
}

void ve_put(struct ve_struct *ve)
{
	unsigned long flags;

	if (!refcount_dec_and_test(&ve->ref))
		return;
	WARN_ON_ONCE(ve->nsproxy || ve->cred || ve->net || ve->cpu.quota);
	spin_lock_irqsave(&ve_list_lock, flags);
	list_del(&ve->all);
	spin_unlock_irqrestore(&ve_list_lock, flags);
	ve_cpu_free(ve);
	ub_put(ve->ub);
	kfree(ve->shown);
	kfree_rcu(ve, rcu);
}

int ve_register(struct ve_struct *ve, envid_t veid)
{
	int err;

	ve->veid = veid;
	err = xa_insert_irq(&ve_xa, veid, ve, GFP_KERNEL_ACCOUNT);
	if (!err)
		return 0;
	ve->veid = 0;
	return err == -EBUSY ? -EEXIST : err;
}

void ve_unregister(struct ve_struct *ve)
{
	unsigned long flags;

	if (!ve->veid)
		return;
	xa_lock_irqsave(&ve_xa, flags);
	__xa_erase(&ve_xa, ve->veid);
	xa_unlock_irqrestore(&ve_xa, flags);
}

struct ve_struct *ve_lookup(envid_t veid)
{
	struct ve_struct *ve;

	guard(rcu)();
	ve = xa_load(&ve_xa, veid);
	if (ve && !refcount_inc_not_zero(&ve->ref))
		ve = NULL;
	return ve;
}

envid_t ve_next_id(envid_t after, int *state)
{
	unsigned long id = (unsigned long)after + 1;
	struct ve_struct *ve;

	guard(rcu)();
	ve = xa_find(&ve_xa, &id, ENV_VEID_MAX, XA_PRESENT);
	if (!ve)
		return 0;
	*state = ve_state(ve);
	return id;
}

static const u8 ve_next_states[] = {
	[ENV_ST_EMBRYO]	  = BIT(ENV_ST_STARTING) | BIT(ENV_ST_STOPPED),
	[ENV_ST_STARTING] = BIT(ENV_ST_EMBRYO) | BIT(ENV_ST_RUNNING) |
			    BIT(ENV_ST_STOPPING) | BIT(ENV_ST_STOPPED),
	[ENV_ST_RUNNING]  = BIT(ENV_ST_FROZEN) | BIT(ENV_ST_STOPPING) |
			    BIT(ENV_ST_STOPPED),
	[ENV_ST_FROZEN]	  = BIT(ENV_ST_RUNNING) | BIT(ENV_ST_STOPPING) |
			    BIT(ENV_ST_STOPPED),
	[ENV_ST_STOPPING] = BIT(ENV_ST_STOPPED),
	[ENV_ST_STOPPED]  = 0,
};

bool ve_state_may(enum env_state from, enum env_state to)
{
	return from < ARRAY_SIZE(ve_next_states) &&
	       (ve_next_states[from] & BIT(to));
}

int ve_set_state(struct ve_struct *ve, enum env_state to)
{
	unsigned long flags;
	int err = -EBUSY;

	spin_lock_irqsave(&ve->wait.lock, flags);
	if (ve_state_may(ve->state, to)) {
		WRITE_ONCE(ve->state, to);
		WRITE_ONCE(ve->seq, ve->seq + 1);
		wake_up_locked(&ve->wait);
		err = 0;
	}
	spin_unlock_irqrestore(&ve->wait.lock, flags);
	return err;
}

void ve_for_each(void (*fn)(struct ve_struct *ve, void *arg), void *arg)
{
	struct ve_struct *ve;

	spin_lock_irq(&ve_list_lock);
	list_for_each_entry(ve, &ve_list, all)
		fn(ve, arg);
	spin_unlock_irq(&ve_list_lock);
}

/* The root user namespace of a VE is gone, and with it the last object. */
void ve_userns_free(struct user_namespace *ns)
{
	if (ns->ve && !ve_is_node(ns->ve) && ns->ve->user_ns == ns)
		ve_put(ns->ve);
}

#ifdef CONFIG_VE_KUNIT_TEST

#include <kunit/test.h>

static void test_registry(struct kunit *test)
{
	struct ve_struct *a = ve_alloc(), *b = ve_alloc(), *found;
	int state;

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_EXPECT_EQ(test, ve_register(a, 1000), 0);
	KUNIT_EXPECT_EQ(test, ve_register(b, 1000), -EEXIST);
	KUNIT_EXPECT_EQ(test, b->veid, 0);
	KUNIT_EXPECT_EQ(test, ve_register(b, ENV_VEID_MAX), 0);

	found = ve_lookup(1000);
	KUNIT_EXPECT_PTR_EQ(test, found, a);
	ve_put(found);
	KUNIT_EXPECT_NULL(test, ve_lookup(1001));

	KUNIT_EXPECT_EQ(test, ve_next_id(0, &state), 1000);
	KUNIT_EXPECT_EQ(test, ve_next_id(1000, &state), ENV_VEID_MAX);
	KUNIT_EXPECT_EQ(test, ve_next_id(ENV_VEID_MAX, &state), 0);

	ve_unregister(a);
	KUNIT_EXPECT_NULL(test, ve_lookup(1000));
	ve_unregister(b);
	ve_put(a);
	ve_put(b);
}

/* A lookup that comes too late finds nothing, never a dead object. */
static void test_lookup_after_put(struct kunit *test)
{
	struct ve_struct *ve = ve_alloc();

	KUNIT_ASSERT_NOT_NULL(test, ve);
	KUNIT_EXPECT_EQ(test, ve_register(ve, 7), 0);
	rcu_read_lock();
	ve_put(ve);
	KUNIT_EXPECT_NULL(test, ve_lookup(7));
	ve_unregister(ve);
	rcu_read_unlock();
}

static void test_states(struct kunit *test)
{
	static const enum env_state way[] = {
		ENV_ST_STARTING, ENV_ST_RUNNING, ENV_ST_FROZEN, ENV_ST_RUNNING,
		ENV_ST_STOPPING, ENV_ST_STOPPED,
	};
	struct ve_struct *ve = ve_alloc();
	u32 seq;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, ve);
	for (i = 0; i < ARRAY_SIZE(way); i++) {
		seq = ve->seq;
		KUNIT_EXPECT_EQ(test, ve_set_state(ve, way[i]), 0);
		KUNIT_EXPECT_EQ(test, ve->seq, seq + 1);
	}
	/* Nothing leads back from STOPPED, and a refusal changes nothing. */
	for (i = ENV_ST_EMBRYO; i <= ENV_ST_STOPPED; i++) {
		seq = ve->seq;
		KUNIT_EXPECT_EQ(test, ve_set_state(ve, i), -EBUSY);
		KUNIT_EXPECT_EQ(test, ve->seq, seq);
		KUNIT_EXPECT_EQ(test, ve_state(ve), ENV_ST_STOPPED);
	}
	ve_put(ve);
}

static void test_state_table(struct kunit *test)
{
	/* row: from, column: to; E S R F P(stopping) T(stopped) */
	static const char *const may[] = {
		".S...T", "E.R.PT", "...FPT", "..R.PT", ".....T", "......",
	};
	int from, to;

	for (from = 0; from < 6; from++)
		for (to = 0; to < 6; to++)
			KUNIT_EXPECT_EQ_MSG(test, ve_state_may(from, to),
					    may[from][to] != '.',
					    "%d to %d", from, to);
	KUNIT_EXPECT_FALSE(test, ve_state_may(6, 0));
}

static struct kunit_case ve_core_cases[] = {
	KUNIT_CASE(test_registry),
	KUNIT_CASE(test_lookup_after_put),
	KUNIT_CASE(test_states),
	KUNIT_CASE(test_state_table),
	{}
};

static struct kunit_suite ve_core_suite = {
	.name = "ve_core",
	.test_cases = ve_core_cases,
};
kunit_test_suite(ve_core_suite);

#endif /* CONFIG_VE_KUNIT_TEST */
