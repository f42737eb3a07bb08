// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPU time: the weight and the cap of a VE, and how many CPUs it sees.
 *
 * The weight is the scheduler's own (cpu.weight).  The cap is not: cpu.max of
 * this kernel stops whole run queues, also of tasks that hold a lock of the
 * node.  Here time that the VE's tasks run is taken off an account that a timer
 * fills; a task of a VE that has overdrawn it waits on its way back to user
 * space, where it holds nothing, and what was too much is paid off first.
 */
#include "ve.h"

#include <linux/cgroup.h>
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/ve_cpu.h>

#define VE_CPU_PERIOD	(50 * NSEC_PER_MSEC)
#define VE_CPU_CAP_MIN	(NSEC_PER_SEC / 100)	/* 1 % of one CPU */

/* Under @cpu->wait.lock: what has been waited so far is stolen time; begin again, or @more of it. */
static void ve_cpu_steal(struct ve_cpu *cpu, bool more)
{
	u64 now = ktime_get_ns();

	if (!cpu->since)
		return;
	atomic64_add(now - cpu->since, &cpu->throttled);
	cpu->since = more ? now : 0;
}

/* A new period: pay in, and let go on whoever may. */
static enum hrtimer_restart ve_cpu_refill(struct hrtimer *timer)
{
	struct ve_cpu *cpu = container_of(timer, struct ve_cpu, timer);
	s64 quota = READ_ONCE(cpu->quota);
	s64 left, next;

	left = atomic64_read(&cpu->left);
	do {
		next = min(left + quota, quota);
	} while (!atomic64_try_cmpxchg(&cpu->left, &left, next));
	scoped_guard(spinlock_irqsave, &cpu->wait.lock)
		ve_cpu_steal(cpu, next <= 0);
	if (next > 0)
		wake_up_all(&cpu->wait);
	if (quota && next < quota) {
		hrtimer_forward_now(timer, VE_CPU_PERIOD);
		return HRTIMER_RESTART;
	}
	/* Nothing was used: sleep until something is. */
	atomic_set_release(&cpu->armed, 0);
	return HRTIMER_NORESTART;
}

/* Under the lock of the task's run queue. */
void __ve_cpu_account(struct task_struct *p, u64 delta)
{
	struct ve_cpu *cpu = &p->ve->cpu;

	if (!READ_ONCE(cpu->quota))
		return;
	if (atomic64_sub_return(delta, &cpu->left) <= 0)
		set_tsk_thread_flag(p, TIF_NOTIFY_RESUME);
	if (!atomic_read(&cpu->armed) && !atomic_xchg(&cpu->armed, 1))
		hrtimer_start(&cpu->timer, ns_to_ktime(VE_CPU_PERIOD),
			      HRTIMER_MODE_REL_PINNED_HARD);
}

static bool ve_cpu_may_run(struct ve_cpu *cpu)
{
	return atomic64_read(&cpu->left) > 0 || !READ_ONCE(cpu->quota);
}

/*
 * One more that waits, or one less.  A time without CPU begins with one that has
 * to wait and ends with the new period, though some may not have run yet then.
 */
static void ve_cpu_count_waiting(struct ve_cpu *cpu, int n)
{
	guard(spinlock_irq)(&cpu->wait.lock);
	cpu->waiting += n;
	if (n > 0 && !cpu->since)
		cpu->since = ktime_get_ns();
	else if (!cpu->waiting)
		ve_cpu_steal(cpu, false);
}

/*
 * On the way to user space.  A signal is handled first, and the rest of the
 * wait follows it: TIF_NOTIFY_RESUME is set again.
 */
void __ve_cpu_throttle(void)
{
	struct ve_cpu *cpu = &current->ve->cpu;

	if (ve_cpu_may_run(cpu))
		return;
	ve_cpu_count_waiting(cpu, 1);
	if (wait_event_interruptible(cpu->wait, ve_cpu_may_run(cpu)) &&
	    !fatal_signal_pending(current))
		set_thread_flag(TIF_NOTIFY_RESUME);
	ve_cpu_count_waiting(cpu, -1);
}

void ve_cpu_init(struct ve_struct *ve)
{
	struct ve_cpu *cpu = &ve->cpu;

	init_waitqueue_head(&cpu->wait);
	hrtimer_init(&cpu->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	cpu->timer.function = ve_cpu_refill;
}

/* No task of it is left; the last one may still be on its way out. */
void ve_cpu_stop(struct ve_struct *ve)
{
	WRITE_ONCE(ve->cpu.quota, 0);
}

/* Nobody has it any more, so nobody starts the timer again. */
void ve_cpu_free(struct ve_struct *ve)
{
	hrtimer_cancel(&ve->cpu.timer);
}

unsigned int ve_nr_cpus(const struct ve_struct *ve)
{
	unsigned int n = READ_ONCE(ve->cpu.cpus), all = num_online_cpus();

	return n && n < all ? n : all;
}

/* Keep as many CPUs of @mask as the caller's VE sees. */
void __ve_cpu_visible(struct cpumask *mask)
{
	unsigned int left = ve_nr_cpus(current->ve), cpu;

	for_each_cpu(cpu, mask) {
		if (left)
			left--;
		else
			cpumask_clear_cpu(cpu, mask);
	}
}

/**
 * ve_cpu_apply - make the scheduler do what was said before there was a cgroup
 * @ve: under its lock, with @acct
 *
 * Return: 0, -EOPNOTSUPP (a weight is set, and no CPU controller is on).
 */
int ve_cpu_apply(struct ve_struct *ve)
{
	return ve->cpu.weight && ve->acct ?
	       sched_ve_set_weight(ve->acct, ve->cpu.weight) : 0;
}

/**
 * ve_cpu_set - weight, cap and number of CPUs that the VE sees
 * @ve: under its lock
 *
 * Return: 0, -EINVAL (weight over 10000, cap below 1 % of a CPU or over all of
 * them, more CPUs than the node has), -EOPNOTSUPP (no CPU controller).
 */
int ve_cpu_set(struct ve_struct *ve, const struct env_cpu *arg)
{
	struct ve_cpu *cpu = &ve->cpu;
	int err;

	if (arg->weight > CGROUP_WEIGHT_MAX || arg->cpus > num_online_cpus() ||
	    arg->cap > num_online_cpus() * NSEC_PER_SEC ||
	    (arg->cap && arg->cap < VE_CPU_CAP_MIN))
		return -EINVAL;
	if (arg->weight) {
		cpu->weight = arg->weight;
		err = ve_cpu_apply(ve);
		if (err)
			return err;
	}
	WRITE_ONCE(cpu->cpus, arg->cpus);
	atomic64_set(&cpu->left, div_u64(arg->cap, NSEC_PER_SEC / VE_CPU_PERIOD));
	WRITE_ONCE(cpu->quota, div_u64(arg->cap, NSEC_PER_SEC / VE_CPU_PERIOD));
	wake_up_all(&cpu->wait);
	return 0;
}
