// SPDX-License-Identifier: GPL-2.0-only
/*
 * Refusals as events.  One ring for all VEs; each reader has a place of its own
 * in it, and is told how many it has missed.
 */
#include "ub.h"

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define UB_EVENTS 1024			/* a power of two */

static struct env_event ub_ring[UB_EVENTS];
static u64 ub_next;			/* number of the next event */
static DEFINE_SPINLOCK(ub_ring_lock);	/* inside siglock and socket locks */
static DECLARE_WAIT_QUEUE_HEAD(ub_readers);

/* @refused of 0: somebody else has just told it. */
void ub_event(struct user_beancounter *ub, int resource, u64 refused,
	      const struct ub_who *who)
{
	struct env_event *e;
	unsigned long flags;

	if (!refused)
		return;
	spin_lock_irqsave(&ub_ring_lock, flags);
	e = &ub_ring[ub_next % UB_EVENTS];
	*e = (struct env_event){
		.time = ktime_get_boottime_ns(),
		.held = ub_held_about(ub, resource),
		.barrier = READ_ONCE(ub->row[resource].barrier),
		.limit = READ_ONCE(ub->row[resource].limit),
		.refused = refused,
		.veid = ub->veid,
		.resource = resource,
		.pid = who->pid,
	};
	if (ub_row_of_memcg(resource))
		e->held = ub_memcg_held(ub, resource);
	strscpy(e->comm, who->comm);
	ub_next++;
	spin_unlock_irqrestore(&ub_ring_lock, flags);
	wake_up_poll(&ub_readers, EPOLLIN | EPOLLRDNORM);
}

struct ub_reader {
	struct mutex lock;
	u64 next;			/* number of the event it reads next */
};

/* The next event for a reader, if there is one. */
static bool ub_reader_take(struct ub_reader *r, struct env_event *e)
{
	u64 lost = 0;

	guard(spinlock_irqsave)(&ub_ring_lock);
	if (r->next == ub_next)
		return false;
	if (ub_next - r->next > UB_EVENTS) {
		lost = ub_next - r->next - UB_EVENTS;
		r->next += lost;
	}
	*e = ub_ring[r->next++ % UB_EVENTS];
	e->lost = min_t(u64, lost, U32_MAX);
	return true;
}

static bool ub_reader_ready(const struct ub_reader *r)
{
	guard(spinlock_irqsave)(&ub_ring_lock);
	return READ_ONCE(r->next) != ub_next;
}

static ssize_t ub_events_read(struct file *file, char __user *buf, size_t size,
			      loff_t *ppos)
{
	struct ub_reader *r = file->private_data;
	struct env_event e;
	size_t done = 0;
	int err;

	if (size < sizeof(e))
		return -EINVAL;
	if (!(file->f_flags & O_NONBLOCK)) {
		err = wait_event_interruptible(ub_readers, ub_reader_ready(r));
		if (err)
			return err;
	}
	guard(mutex)(&r->lock);
	while (size - done >= sizeof(e) && ub_reader_take(r, &e)) {
		if (copy_to_user(buf + done, &e, sizeof(e)))
			return done ?: -EFAULT;
		done += sizeof(e);
	}
	return done ?: -EAGAIN;
}

static __poll_t ub_events_poll(struct file *file, poll_table *wait)
{
	struct ub_reader *r = file->private_data;

	poll_wait(file, &ub_readers, wait);
	return ub_reader_ready(r) ? EPOLLIN | EPOLLRDNORM : 0;
}

static int ub_events_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static const struct file_operations ub_events_fops = {
	.read		= ub_events_read,
	.poll		= ub_events_poll,
	.release	= ub_events_release,
	.llseek		= noop_llseek,
};

/**
 * ub_events_open - a descriptor that refusals are read from
 *
 * It begins with the next one.
 *
 * Return: the descriptor, -ENOMEM, -EMFILE.
 */
int ub_events_open(void)
{
	struct ub_reader *r;
	int fd;

	r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	if (!r)
		return -ENOMEM;
	mutex_init(&r->lock);
	scoped_guard(spinlock_irqsave, &ub_ring_lock)
		r->next = ub_next;
	fd = anon_inode_getfd("[ve-events]", &ub_events_fops, r,
			      O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		kfree(r);
	return fd;
}

#ifdef CONFIG_VE_KUNIT_TEST

#include <kunit/test.h>

/* Who reads too late is told, once, how many are missing, and gets all others. */
static void test_lost(struct kunit *test)
{
	struct user_beancounter *ub = ub_alloc();
	struct ub_who who = { .pid = 7, .comm = "late" };
	struct ub_reader r = { .next = ub_next };
	struct env_event e;
	u64 i;

	KUNIT_ASSERT_NOT_NULL(test, ub);
	for (i = 1; i <= UB_EVENTS + 10; i++)
		ub_event(ub, UB_NUMPTY, i, &who);
	KUNIT_ASSERT_TRUE(test, ub_reader_take(&r, &e));
	KUNIT_EXPECT_EQ(test, e.lost, 10);
	KUNIT_EXPECT_EQ(test, e.refused, 11);
	KUNIT_EXPECT_STREQ(test, e.comm, "late");
	for (i = 12; ub_reader_take(&r, &e); i++) {
		KUNIT_EXPECT_EQ(test, e.refused, i);
		KUNIT_EXPECT_EQ(test, e.lost, 0);
	}
	KUNIT_EXPECT_EQ(test, i, UB_EVENTS + 11);
	KUNIT_EXPECT_FALSE(test, ub_reader_ready(&r));
	ub_event(ub, UB_NUMPTY, 0, &who);
	KUNIT_EXPECT_FALSE(test, ub_reader_ready(&r));
	ub_put(ub);
}

static struct kunit_case ub_event_cases[] = {
	KUNIT_CASE(test_lost),
	{}
};

static struct kunit_suite ub_event_suite = {
	.name = "ub_event",
	.test_cases = ub_event_cases,
};
kunit_test_suite(ub_event_suite);

#endif /* CONFIG_VE_KUNIT_TEST */
