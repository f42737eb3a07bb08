// SPDX-License-Identifier: GPL-2.0-only
/*
 * The counters.
 *
 * Most rows are one atomic number.  Of those that are charged often each CPU has
 * a part: a charge is an addition to it while the bound is far, and an exact one
 * under the row's own lock near it (percpu_counter_limited_add()).
 */
#include "ub.h"

#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/slab.h>

const char *const ub_names[UB_RESOURCES] = {
	[UB_KMEMSIZE]	  = "kmemsize",
	[UB_LOCKEDPAGES]  = "lockedpages",
	[UB_PRIVVMPAGES]  = "privvmpages",
	[UB_SHMPAGES]	  = "shmpages",
	[UB_NUMPROC]	  = "numproc",
	[UB_PHYSPAGES]	  = "physpages",
	[UB_VMGUARPAGES]  = "vmguarpages",
	[UB_OOMGUARPAGES] = "oomguarpages",
	[UB_NUMTCPSOCK]	  = "numtcpsock",
	[UB_NUMFLOCK]	  = "numflock",
	[UB_NUMPTY]	  = "numpty",
	[UB_NUMSIGINFO]	  = "numsiginfo",
	[UB_TCPSNDBUF]	  = "tcpsndbuf",
	[UB_TCPRCVBUF]	  = "tcprcvbuf",
	[UB_OTHERSOCKBUF] = "othersockbuf",
	[UB_DGRAMRCVBUF]  = "dgramrcvbuf",
	[UB_NUMOTHERSOCK] = "numothersock",
	[UB_DCACHESIZE]	  = "dcachesize",
	[UB_NUMFILE]	  = "numfile",
	[UB_NUMIPTENT]	  = "numiptent",
	[UB_SWAPPAGES]	  = "swappages",
};

/* The rows whose counters have per-CPU parts; how much, in the row's unit. */
static const struct {
	u8 resource;
	s32 batch;
} ub_batched[UB_BATCHED] = {
	{ UB_PRIVVMPAGES, 64 },
	{ UB_NUMFILE, 32 },
	{ UB_TCPSNDBUF, 32 * 4096 },
	{ UB_TCPRCVBUF, 32 * 4096 },
	{ UB_OTHERSOCKBUF, 32 * 4096 },
	{ UB_DGRAMRCVBUF, 32 * 4096 },
};

/* With one CPU there is nothing to batch. */
#ifdef CONFIG_SMP
/* @n to this CPU's part, if that has room and the bound is far whatever the others have. */
static __always_inline bool ub_add_here(const struct ub_row *row, s64 bound, s64 n)
{
	struct percpu_counter *c = row->batched;
	s32 batch = READ_ONCE(row->batch);
	s32 here = this_cpu_read(*c->counters);

	if (READ_ONCE(c->count) + (s64)batch * num_online_cpus() > bound)
		return false;
	do {
		if ((u64)(here + n + batch) > 2 * (u64)batch)
			return false;
	} while (!this_cpu_try_cmpxchg(*c->counters, &here, here + n));
	return true;
}

#define ub_limited_add(counter, bound, n, batch) \
	__percpu_counter_limited_add(counter, bound, n, batch)
#else
#define ub_add_here(row, bound, n) false
#define ub_limited_add(counter, bound, n, batch) \
	percpu_counter_limited_add(counter, bound, n)
#endif

void ub_set_exact(struct user_beancounter *ub, bool exact)
{
	int i;

	ub->exact = exact;
	for (i = 0; i < UB_BATCHED; i++)
		WRITE_ONCE(ub->row[ub_batched[i].resource].batch,
			   exact ? 0 : ub_batched[i].batch);
}

static void ub_tell(struct work_struct *work);

struct user_beancounter *ub_alloc(void)
{
	struct user_beancounter *ub;
	int i;

	ub = kzalloc(sizeof(*ub), GFP_KERNEL_ACCOUNT);
	if (!ub)
		return NULL;
	if (percpu_counter_init_many(ub->batched, 0, GFP_KERNEL_ACCOUNT,
				     UB_BATCHED)) {
		kfree(ub);
		return NULL;
	}
	refcount_set(&ub->ref, 1);
	mutex_init(&ub->lock);
	INIT_DELAYED_WORK(&ub->tell, ub_tell);
	for (i = 0; i < UB_RESOURCES; i++) {
		ub->row[i].barrier = ub->row[i].limit = UB_MAXVALUE;
		ub->row[i].told_at = jiffies - HZ;
	}
	for (i = 0; i < UB_BATCHED; i++)
		ub->row[ub_batched[i].resource].batched = &ub->batched[i];
	ub_set_exact(ub, false);
	ub->row[UB_VMGUARPAGES].barrier = 0;
	ub->row[UB_OOMGUARPAGES].barrier = 0;
	return ub;
}

static void ub_free(struct rcu_head *rcu)
{
	struct user_beancounter *ub = container_of(rcu, typeof(*ub), rcu);

	percpu_counter_destroy_many(ub->batched, UB_BATCHED);
	kfree(ub);
}

/* What is held, to the last one. */
static s64 ub_sum(struct user_beancounter *ub, int resource)
{
	struct ub_row *row = &ub->row[resource];

	return row->batched ? percpu_counter_sum(row->batched) : atomic64_read(&row->held);
}

/* The last reference has gone. */
void ub_release(struct user_beancounter *ub)
{
	int i;

	for (i = 0; i < UB_RESOURCES; i++) {
		s64 left = ub_sum(ub, i);

		WARN_ONCE(left, "ve %u: %lld of %s left over\n", ub->veid, left,
			  ub_names[i]);
	}
	call_rcu(&ub->rcu, ub_free);
}

static void ub_note_max(struct ub_row *row)
{
	s64 held = percpu_counter_read(row->batched);

	if (held > READ_ONCE(row->maxheld))
		WRITE_ONCE(row->maxheld, held);
}

/* This CPU's part will not do. */
static noinline bool ub_charge_all(struct user_beancounter *ub, struct ub_row *row,
				   s64 n, s64 bound)
{
	if (!ub_limited_add(row->batched, bound, n, READ_ONCE(row->batch))) {
		ub_refused(ub, row - ub->row);
		return false;
	}
	ub_note_max(row);
	return true;
}

bool __ub_charge(struct user_beancounter *ub, struct ub_row *row, s64 n, s64 bound)
{
	if (!row->batched)
		return ub_row_charge(ub, row, n, bound);
	if (!ub_add_here(row, bound, n))
		return ub_charge_all(ub, row, n, bound);
	ub_note_max(row);
	return true;
}
EXPORT_SYMBOL_GPL(__ub_charge);

void __ub_uncharge(struct ub_row *row, s64 n)
{
	if (!row->batched)
		atomic64_sub(n, &row->held);
	else if (!ub_add_here(row, UB_MAXVALUE, -n))
		percpu_counter_add_batch(row->batched, -n, READ_ONCE(row->batch));
}
EXPORT_SYMBOL_GPL(__ub_uncharge);

bool __ub_has_room(struct user_beancounter *ub, int resource, s64 n,
		   enum ub_severity how)
{
	struct ub_row *row = &ub->row[resource];
	s64 bound = ub_bound(ub, resource, how);

	/* Far from the bound the sum over the CPUs is not needed. */
	if (row->batched ?
	    n <= bound && __percpu_counter_compare(row->batched, bound - n,
						   READ_ONCE(row->batch)) <= 0 :
	    n <= bound - atomic64_read(&row->held))
		return true;
	ub_refused(ub, resource);
	return false;
}

static void ub_tell_later(struct user_beancounter *ub)
{
	ub_get(ub);
	if (!schedule_delayed_work(&ub->tell, HZ))
		ub_put(ub);
}

/* What came within a second of what was told last, and was the end of it. */
static void ub_tell(struct work_struct *work)
{
	struct user_beancounter *ub = container_of(to_delayed_work(work),
						   typeof(*ub), tell);
	bool later = false;
	int i;

	for (i = 0; i < UB_RESOURCES; i++) {
		struct ub_row *row = &ub->row[i];
		unsigned long told_at = READ_ONCE(row->told_at);
		struct ub_who who = row->who;

		if (!atomic64_read(&row->untold))
			continue;
		if (time_before(jiffies, told_at + HZ) ||
		    cmpxchg(&row->told_at, told_at, jiffies) != told_at)
			later = true;
		else
			ub_event(ub, i, atomic64_xchg(&row->untold, 0), &who);
	}
	if (later)
		ub_tell_later(ub);
	ub_put(ub);
}

static struct ub_who ub_who(const struct user_beancounter *ub)
{
	struct ub_who who = {};

	if (in_task() && task_ub(current) == ub) {
		who.pid = task_tgid_vnr(current);
		strscpy(who.comm, current->comm);
	}
	return who;
}

void ub_refused(struct user_beancounter *ub, int resource)
{
	struct ub_row *row = &ub->row[resource];
	unsigned long told_at = READ_ONCE(row->told_at);
	bool first = atomic64_inc_return(&row->untold) == 1;
	struct ub_who who;

	atomic64_inc(&row->failcnt);
	if (time_before(jiffies, told_at + HZ) ||
	    cmpxchg(&row->told_at, told_at, jiffies) != told_at) {
		if (first) {
			row->who = ub_who(ub);
			ub_tell_later(ub);
		}
		return;
	}
	who = ub_who(ub);
	ub_event(ub, resource, atomic64_xchg(&row->untold, 0), &who);
}

s64 ub_held(struct user_beancounter *ub, int resource)
{
	return max_t(s64, ub_sum(ub, resource), 0);
}

/* Without asking each CPU. */
s64 ub_held_about(struct user_beancounter *ub, int resource)
{
	struct ub_row *row = &ub->row[resource];

	return row->batched ? percpu_counter_read_positive(row->batched) :
			      atomic64_read(&row->held);
}

void ub_fold(void *ub)
{
	int i;

	for (i = 0; i < UB_BATCHED; i++)
		percpu_counter_sync(&((struct user_beancounter *)ub)->batched[i]);
}

#ifdef CONFIG_VE_KUNIT_TEST

#include <kunit/test.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>

static s64 failures(const struct user_beancounter *ub, int resource)
{
	return atomic64_read(&ub->row[resource].failcnt);
}

static void bound(struct user_beancounter *ub, int resource, s64 barrier, s64 limit)
{
	ub->row[resource].barrier = barrier;
	ub->row[resource].limit = limit;
}

static void test_severity(struct kunit *test)
{
	struct user_beancounter *ub = ub_alloc();

	KUNIT_ASSERT_NOT_NULL(test, ub);
	bound(ub, UB_NUMPTY, 10, 12);
	KUNIT_EXPECT_TRUE(test, ub_charge(ub, UB_NUMPTY, 9, UB_HARD));
	KUNIT_EXPECT_TRUE(test, ub_charge(ub, UB_NUMPTY, 1, UB_HARD));
	KUNIT_EXPECT_FALSE(test, ub_charge(ub, UB_NUMPTY, 1, UB_HARD));
	KUNIT_EXPECT_EQ(test, failures(ub, UB_NUMPTY), 1);
	KUNIT_EXPECT_TRUE(test, ub_charge(ub, UB_NUMPTY, 2, UB_SOFT));
	KUNIT_EXPECT_FALSE(test, ub_charge(ub, UB_NUMPTY, 1, UB_SOFT));
	KUNIT_EXPECT_TRUE(test, ub_charge(ub, UB_NUMPTY, 5, UB_FORCE));
	KUNIT_EXPECT_EQ(test, ub_held(ub, UB_NUMPTY), 17);
	KUNIT_EXPECT_EQ(test, ub->row[UB_NUMPTY].maxheld, 17);
	KUNIT_EXPECT_EQ(test, failures(ub, UB_NUMPTY), 2);
	ub_uncharge(ub, UB_NUMPTY, 17);
	KUNIT_EXPECT_EQ(test, ub_held(ub, UB_NUMPTY), 0);
	ub_put(ub);
	KUNIT_EXPECT_TRUE(test, ub_charge(NULL, UB_NUMPTY, 1, UB_HARD));
}

/* A row with per-CPU batches is as exact at its bound as one without. */
static void test_batch_edge(struct kunit *test)
{
	struct user_beancounter *ub = ub_alloc();
	int n = 0;

	KUNIT_ASSERT_NOT_NULL(test, ub);
	bound(ub, UB_NUMFILE, 1000, 1000);
	while (n < 2000 && ub_charge(ub, UB_NUMFILE, 1, UB_HARD))
		n++;
	KUNIT_EXPECT_EQ(test, n, 1000);
	KUNIT_EXPECT_EQ(test, failures(ub, UB_NUMFILE), 1);
	KUNIT_EXPECT_FALSE(test, ub_has_room(ub, UB_NUMFILE, 1, UB_HARD));
	ub_uncharge(ub, UB_NUMFILE, 1);
	KUNIT_EXPECT_TRUE(test, ub_has_room(ub, UB_NUMFILE, 1, UB_HARD));
	KUNIT_EXPECT_FALSE(test, ub_has_room(ub, UB_NUMFILE, 2, UB_HARD));
	ub_uncharge(ub, UB_NUMFILE, 999);
	bound(ub, UB_NUMFILE, 0, 0);
	KUNIT_EXPECT_FALSE(test, ub_charge(ub, UB_NUMFILE, 1, UB_HARD));
	KUNIT_EXPECT_EQ(test, ub_held(ub, UB_NUMFILE), 0);
	ub_put(ub);
}

static void test_guarantee(struct kunit *test)
{
	struct user_beancounter *ub = ub_alloc();

	KUNIT_ASSERT_NOT_NULL(test, ub);
	bound(ub, UB_PRIVVMPAGES, 10, 10);
	KUNIT_EXPECT_FALSE(test, ub_has_room(ub, UB_PRIVVMPAGES, 11, UB_HARD));
	bound(ub, UB_VMGUARPAGES, 20, UB_MAXVALUE);
	KUNIT_EXPECT_TRUE(test, ub_has_room(ub, UB_PRIVVMPAGES, 20, UB_HARD));
	KUNIT_EXPECT_FALSE(test, ub_has_room(ub, UB_PRIVVMPAGES, 21, UB_HARD));
	KUNIT_EXPECT_TRUE(test, ub_has_room(ub, UB_PRIVVMPAGES, 20, UB_SOFT));
	KUNIT_EXPECT_FALSE(test, ub_has_room(ub, UB_PRIVVMPAGES, 21, UB_SOFT));
	bound(ub, UB_PRIVVMPAGES, 10, 30);
	KUNIT_EXPECT_FALSE(test, ub_has_room(ub, UB_PRIVVMPAGES, 21, UB_HARD));
	KUNIT_EXPECT_TRUE(test, ub_has_room(ub, UB_PRIVVMPAGES, 30, UB_SOFT));
	KUNIT_EXPECT_FALSE(test, ub_has_room(ub, UB_PRIVVMPAGES, 31, UB_SOFT));
	ub_put(ub);
}

/* The last of a burst is told, too, though nothing comes after it. */
static void test_told(struct kunit *test)
{
	struct user_beancounter *ub = ub_alloc();
	unsigned long end = jiffies + 30 * HZ;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, ub);
	bound(ub, UB_NUMPTY, 0, 0);
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_FALSE(test, ub_charge(ub, UB_NUMPTY, 1, UB_HARD));
	KUNIT_EXPECT_EQ(test, atomic64_read(&ub->row[UB_NUMPTY].untold), 4);
	while (atomic64_read(&ub->row[UB_NUMPTY].untold) && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&ub->row[UB_NUMPTY].untold), 0);
	KUNIT_EXPECT_EQ(test, failures(ub, UB_NUMPTY), 5);
	flush_delayed_work(&ub->tell);
	KUNIT_EXPECT_EQ(test, refcount_read(&ub->ref), 1);
	ub_put(ub);
}

#define UB_TEST_ROUNDS 20000

static int charge_much(void *arg)
{
	struct user_beancounter *ub = arg;
	int i, n = 0;

	for (i = 0; i < UB_TEST_ROUNDS; i++) {
		if (ub_charge(ub, UB_NUMFILE, 1, UB_HARD))
			n++;
		if (n && i % 3) {
			ub_uncharge(ub, UB_NUMFILE, 1);
			n--;
		}
	}
	if (n)
		ub_uncharge(ub, UB_NUMFILE, n);
	return 0;
}

static void test_many(struct kunit *test)
{
	struct user_beancounter *ub = ub_alloc();
	struct task_struct *t[4];
	int i;

	KUNIT_ASSERT_NOT_NULL(test, ub);
	bound(ub, UB_NUMFILE, 100, 100);
	for (i = 0; i < 4; i++) {
		t[i] = kthread_create(charge_much, ub, "ub_test/%d", i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(t[i]));
		get_task_struct(t[i]);
		wake_up_process(t[i]);
	}
	for (i = 0; i < 4; i++)
		kthread_stop_put(t[i]);
	KUNIT_EXPECT_EQ(test, ub_held(ub, UB_NUMFILE), 0);
	KUNIT_EXPECT_LE(test, ub->row[UB_NUMFILE].maxheld, 100);
	ub_put(ub);
}

static struct kunit_case ub_cases[] = {
	KUNIT_CASE(test_severity),
	KUNIT_CASE(test_batch_edge),
	KUNIT_CASE(test_guarantee),
	KUNIT_CASE(test_told),
	KUNIT_CASE(test_many),
	{}
};

static struct kunit_suite ub_suite = {
	.name = "ub",
	.test_cases = ub_cases,
};
kunit_test_suite(ub_suite);

#endif /* CONFIG_VE_KUNIT_TEST */
