// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rows that the VE's memory cgroup counts.  physpages and swappages are its
 * own counters; kernel memory, and of it what dentries and inodes take, it
 * counts here, since cgroup v2 has no limit for them.
 */
#include "ub.h"

#include <linux/cgroup.h>
#include <linux/memcontrol.h>
#include <linux/oom.h>
#include <linux/page_counter.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/swap.h>

bool ub_row_of_memcg(int resource)
{
	switch (resource) {
	case UB_KMEMSIZE:
	case UB_PHYSPAGES:
	case UB_VMGUARPAGES:
	case UB_OOMGUARPAGES:
	case UB_DCACHESIZE:
	case UB_SWAPPAGES:
		return true;
	}
	return false;
}

/* A new cgroup below one that is a VE is part of that VE. */
void ub_memcg_init(struct mem_cgroup *memcg, struct mem_cgroup *parent)
{
	memcg->ub.top = parent ? READ_ONCE(parent->ub.top) : NULL;
}

void ub_memcg_free(struct mem_cgroup *memcg)
{
	ub_put(rcu_dereference_protected(memcg->ub.ub, true));
}

/* Kernel memory can be let go by reclaim: caches of dentries and inodes. */
static bool ub_reclaim(struct mem_cgroup *top, gfp_t gfp)
{
	return gfpflags_allow_blocking(gfp) && !(current->flags & PF_MEMALLOC) &&
	       try_to_free_mem_cgroup_pages(top, SWAP_CLUSTER_MAX, gfp, 0, NULL);
}

/* It did not do at once: reclaim and try again, then refuse. */
static noinline bool ub_memcg_charge(struct mem_cgroup *top, atomic_long_t *count,
				     unsigned long *max, int resource, long unit,
				     gfp_t gfp, long n)
{
	struct user_beancounter *ub;
	int tries;

	for (tries = 0; tries < 3 && ub_reclaim(top, gfp); tries++) {
		scoped_guard(preempt) {
			if (ub_memcg_try(&top->ub, count, max, resource, unit, gfp, n))
				return true;
		}
	}
	scoped_guard(rcu) {
		ub = rcu_dereference(top->ub.ub);
		if (ub)
			ub_refused(ub, resource);
	}
	return false;
}

bool __ub_kmem_charge(struct mem_cgroup *top, gfp_t gfp, long pages)
{
	scoped_guard(preempt) {
		if (ub_memcg_try(&top->ub, &top->ub.kmem, &top->ub.kmem_max,
				 UB_KMEMSIZE, PAGE_SIZE, gfp, pages))
			return true;
	}
	return ub_memcg_charge(top, &top->ub.kmem, &top->ub.kmem_max, UB_KMEMSIZE,
			       PAGE_SIZE, gfp, pages);
}

/*
 * A page fault found no memory.  When that was kernel memory over its bound, to
 * try again would be to try for ever: the program ends.
 */
bool ub_fault_refused(void)
{
	struct user_beancounter *ub = task_ub(current);
	static const u8 rows[] = { UB_KMEMSIZE, UB_DCACHESIZE };
	int i;

	for (i = 0; ub && i < ARRAY_SIZE(rows); i++) {
		if (ub_memcg_held(ub, rows[i]) + SZ_64K <=
		    READ_ONCE(ub->row[rows[i]].barrier))
			continue;
		force_sig(SIGKILL);
		return true;
	}
	return false;
}

bool __ub_dcache_charge(struct mem_cgroup *top, gfp_t gfp, long bytes)
{
	return ub_memcg_charge(top, &top->ub.dcache, &top->ub.dcache_max,
			       UB_DCACHESIZE, 1, gfp, bytes);
}

/* No more may go to swap: reclaim does not even try then, and nobody is told. */
static bool memcg_swap_full(struct mem_cgroup *memcg)
{
	unsigned long max = READ_ONCE(memcg->swap.max);

	return max && page_counter_read(&memcg->swap) >= max;
}

/* The memory cgroup itself has said no. */
void ub_memcg_refused(struct mem_cgroup *memcg, int resource)
{
	struct mem_cgroup *top = READ_ONCE(memcg->ub.top);
	struct user_beancounter *ub;

	if (!top)
		return;
	guard(rcu)();
	ub = rcu_dereference(top->ub.ub);
	if (!ub)
		return;
	ub_refused(ub, resource);
	if (resource == UB_PHYSPAGES && memcg_swap_full(top))
		ub_refused(ub, UB_SWAPPAGES);
}

static s64 memcg_count(const struct mem_cgroup *memcg, int resource, bool max)
{
	const struct page_counter *c = NULL;

	switch (resource) {
	case UB_KMEMSIZE:
		return PAGE_SIZE * (max ? READ_ONCE(memcg->ub.kmem_max) :
				    atomic_long_read(&memcg->ub.kmem));
	case UB_DCACHESIZE:
		return max ? READ_ONCE(memcg->ub.dcache_max) :
			     atomic_long_read(&memcg->ub.dcache);
	case UB_SWAPPAGES:
		c = &memcg->swap;
		break;
	default:
		c = &memcg->memory;
		break;
	}
	return max ? READ_ONCE(c->watermark) : atomic_long_read(&c->usage);
}

static s64 ub_memcg_count(struct user_beancounter *ub, int resource, bool max)
{
	struct mem_cgroup *memcg;
	s64 n;

	guard(rcu)();
	memcg = rcu_dereference(ub->memcg);
	/* What is guaranteed is only compared; it is not itself used. */
	if (!memcg || resource == UB_VMGUARPAGES)
		return 0;
	n = memcg_count(memcg, resource, max);
	if (resource == UB_OOMGUARPAGES)
		n += memcg_count(memcg, UB_SWAPPAGES, max);
	return max_t(s64, n, 0);
}

s64 ub_memcg_held(struct user_beancounter *ub, int resource)
{
	return ub_memcg_count(ub, resource, false);
}

s64 ub_memcg_maxheld(struct user_beancounter *ub, int resource)
{
	return ub_memcg_count(ub, resource, true);
}

static unsigned long ub_pages(s64 bound)
{
	return min_t(u64, bound, PAGE_COUNTER_MAX);
}

/* Bring usage down to a new memory.max, as far as it goes. */
static void ub_shrink(struct mem_cgroup *memcg)
{
	int tries = 16;

	while (tries && !signal_pending(current)) {
		unsigned long max = READ_ONCE(memcg->memory.max);
		unsigned long now = page_counter_read(&memcg->memory);

		if (now <= max)
			return;
		if (!try_to_free_mem_cgroup_pages(memcg, now - max, GFP_KERNEL,
						  MEMCG_RECLAIM_MAY_SWAP, NULL))
			tries--;
	}
}

/* Make the cgroup do what a row says that somebody has set. */
void ub_memcg_apply(struct user_beancounter *ub, int resource)
{
	struct mem_cgroup *memcg = rcu_dereference_protected(ub->memcg,
						lockdep_is_held(&ub->lock));
	const struct ub_row *row = &ub->row[resource];

	if (!row->set)
		return;
	switch (resource) {
	case UB_PHYSPAGES:
		page_counter_set_high(&memcg->memory,
				      row->barrier < row->limit ?
				      ub_pages(row->barrier) : PAGE_COUNTER_MAX);
		xchg(&memcg->memory.max, ub_pages(row->limit));
		ub_shrink(memcg);
		break;
	case UB_SWAPPAGES:
		xchg(&memcg->swap.max, ub_pages(row->limit));
		break;
	case UB_VMGUARPAGES:
		page_counter_set_low(&memcg->memory, ub_pages(row->barrier));
		break;
	}
}

/**
 * ub_start - the VE has a cgroup from now on
 * @ub: of the VE
 * @acct: the cgroup
 *
 * Return: 0, -EOPNOTSUPP (bounds of memory are set, and no memory controller
 * is on for @acct).
 */
int ub_start(struct user_beancounter *ub, envid_t veid, struct cgroup *acct)
{
	struct cgroup_subsys_state *css = cgroup_get_e_css(acct, &memory_cgrp_subsys);
	struct mem_cgroup *memcg = mem_cgroup_from_css(css);
	struct user_beancounter *old;
	int i;

	guard(mutex)(&ub->lock);
	ub->veid = veid;
	if (css->cgroup != acct) {
		css_put(css);
		for (i = 0; i < UB_RESOURCES; i++)
			if (ub->row[i].set && ub_row_of_memcg(i))
				return -EOPNOTSUPP;
		return 0;
	}
	page_counter_reset_watermark(&memcg->memory);
	page_counter_reset_watermark(&memcg->swap);
	memcg->ub.kmem_max = memcg->ub.dcache_max = 0;
	WRITE_ONCE(memcg->ub.top, memcg);
	old = unrcu_pointer(xchg(&memcg->ub.ub, RCU_INITIALIZER(ub_get(ub))));
	rcu_assign_pointer(ub->memcg, memcg);
	for (i = 0; i < UB_RESOURCES; i++)
		ub_memcg_apply(ub, i);
	ub_put(old);
	return 0;
}

/* The VE has ended, or never began: its cgroup may go. */
void ub_stop(struct user_beancounter *ub)
{
	struct mem_cgroup *memcg;

	scoped_guard(mutex, &ub->lock) {
		memcg = rcu_dereference_protected(ub->memcg, true);
		rcu_assign_pointer(ub->memcg, NULL);
	}
	if (memcg)
		css_put(&memcg->css);
}

struct mem_cgroup *ub_memcg_get(struct user_beancounter *ub)
{
	struct mem_cgroup *memcg;

	guard(rcu)();
	memcg = rcu_dereference(ub->memcg);
	return memcg && css_tryget(&memcg->css) ? memcg : NULL;
}

/**
 * ub_oom_guarantee - how much better a task is to be thought of
 *
 * A VE that uses no more than oomguarpages says is a victim only when there is
 * nobody else.
 *
 * Return: points for oom_badness() to take off.
 */
long ub_oom_guarantee(const struct task_struct *p, long totalpages)
{
	struct user_beancounter *ub = task_ub(p);
	s64 barrier = ub ? READ_ONCE(ub->row[UB_OOMGUARPAGES].barrier) : 0;

	return barrier && ub_memcg_held(ub, UB_OOMGUARPAGES) <= barrier ?
	       totalpages : 0;
}

/*
 * To the end of the scope, which is inside RCU, accounted memory is @ub's; without
 * a cgroup whoever runs is charged as ever.
 */
DEFINE_CLASS(ub_active, struct mem_cgroup *, set_active_memcg(_T),
	     set_active_memcg(rcu_dereference(ub->memcg)), struct user_beancounter *ub)

/* @cache or, if NULL, @size bytes of zeros. */
static void *ub_alloc_as(struct user_beancounter *ub, struct kmem_cache *cache,
			 size_t size, gfp_t gfp)
{
	guard(rcu)();
	CLASS(ub_active, before)(ub);

	return cache ? kmem_cache_alloc(cache, gfp | __GFP_ACCOUNT) :
		       kzalloc(size, gfp | __GFP_ACCOUNT);
}

void *ub_net_kzalloc(const struct net *net, size_t size, gfp_t gfp)
{
	struct user_beancounter *ub = ub_of_net(net);

	return ub ? ub_alloc_as(ub, NULL, size, gfp) : kzalloc(size, gfp);
}

void *ub_net_cache_alloc(const struct net *net, struct kmem_cache *cache, gfp_t gfp)
{
	struct user_beancounter *ub = ub_of_net(net);

	return ub ? ub_alloc_as(ub, cache, 0, gfp) : kmem_cache_alloc(cache, gfp);
}
