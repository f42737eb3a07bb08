/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of kernel/ve/ub share among themselves. */
#ifndef _KERNEL_VE_UB_UB_H
#define _KERNEL_VE_UB_UB_H

#include <linux/percpu_counter.h>
#include <linux/ub.h>

#include "../ve.h"

/**
 * struct ub_row - a row of the table
 * @barrier, @limit: 0..UB_MAXVALUE, barrier <= limit; written under ub->lock
 * @failcnt: refusals
 * @maxheld: the most that was held, as exact as @held's batches
 * @told_at: jiffies of the last event
 * @untold: refusals since
 * @set: somebody has set bounds (for rows that the memory cgroup enforces)
 */
struct ub_row {
	s64		barrier;
	s64		limit;
	s64		maxheld;
	atomic64_t	failcnt;
	unsigned long	told_at;
	atomic64_t	untold;
	bool		set;
};

/**
 * struct user_beancounter - a VE's
 * @ref: the VE, each mm, socket, shared memory inode and memory cgroup
 * @veid: for events and people; 0 until the VE has one
 * @exact: no per-CPU batches: slower, and maxheld is what there was
 * @lock: bounds, and @memcg
 * @memcg: the cgroup that is the VE, from START to STOPPED; counted
 * @held: counters of the rows that have one of their own
 */
struct user_beancounter {
	refcount_t		ref;
	envid_t			veid;
	bool			exact;
	struct mutex		lock;
	struct mem_cgroup __rcu	*memcg;
	struct ub_row		row[UB_RESOURCES];
	struct percpu_counter	held[UB_RESOURCES];
	struct rcu_head		rcu;
};

extern const char *const ub_names[UB_RESOURCES]; /* NULL: a dummy row */

/* A row that the memory cgroup counts? */
bool ub_row_of_memcg(int resource);

/* A refusal: count it, and tell it at most once a second. */
void ub_refused(struct user_beancounter *ub, int resource);

/* memcg.c */
void ub_memcg_apply(struct user_beancounter *ub, int resource); /* ub->lock */
s64 ub_memcg_held(struct user_beancounter *ub, int resource);
s64 ub_memcg_maxheld(struct user_beancounter *ub, int resource);

/* event.c */
void ub_event(struct user_beancounter *ub, int resource, u64 refused);

#endif
