/* SPDX-License-Identifier: GPL-2.0-only */
/* CPU time of a VE: what the scheduler calls.  kernel/ve/cpu.c explains it. */
#ifndef _LINUX_VE_CPU_H
#define _LINUX_VE_CPU_H

#include <linux/errno.h>
#include <linux/types.h>

struct cgroup;
struct cpumask;
struct task_struct;

#ifdef CONFIG_VE

#include <linux/ve.h>

void __ve_cpu_account(struct task_struct *p, u64 delta);
void __ve_cpu_throttle(void);
void __ve_cpu_visible(struct cpumask *mask);

/* How many CPUs the VE sees: 1 or more. */
unsigned int ve_nr_cpus(const struct ve_struct *ve);

/* kernel/sched/core.c: cpu.weight; 0, -EOPNOTSUPP, -ERANGE. */
#ifdef CONFIG_GROUP_SCHED_WEIGHT
int sched_ve_set_weight(struct cgroup *cgrp, u64 weight);
#else
static inline int sched_ve_set_weight(struct cgroup *cgrp, u64 weight)
{
	return -EOPNOTSUPP;
}
#endif

/* @p, current on its CPU, has run for @delta ns.  Under its run queue's lock. */
static inline void ve_cpu_account(struct task_struct *p, u64 delta)
{
	if (p->ve->cpu.quota)
		__ve_cpu_account(p, delta);
}

/* On the way to user space: wait while the VE has had its share. */
static inline void ve_cpu_throttle(void)
{
	if (unlikely(current->ve->cpu.quota))
		__ve_cpu_throttle();
}

static inline void ve_cpu_visible(struct cpumask *mask)
{
	if (current->ve->cpu.cpus)
		__ve_cpu_visible(mask);
}

/* Does the caller see that CPU? */
static inline bool ve_sees_cpu(unsigned int cpu)
{
	return cpu < ve_nr_cpus(current->ve);
}

#else
static inline bool ve_sees_cpu(unsigned int cpu) { return true; }
static inline void ve_cpu_account(struct task_struct *p, u64 delta) { }
static inline void ve_cpu_throttle(void) { }
static inline void ve_cpu_visible(struct cpumask *mask) { }
#endif
#endif
