/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * User Beancounters: what a VE uses of each resource, and how much it may.
 *
 * A beancounter belongs to a VE and outlives it while something that was
 * charged to it does.  The node (VE 0) has none, so that what it does costs a
 * test of a pointer.  Rows of memory ride on the counters of the VE's memory
 * cgroup (struct ub_memcg); the others have a counter of their own.
 */
#ifndef _LINUX_UB_H
#define _LINUX_UB_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <linux/ub_types.h>

struct kmem_cache;
struct mem_cgroup;
struct mm_struct;
struct net;
struct seq_file;
struct sock;
struct task_struct;
struct user_beancounter;

/**
 * enum ub_severity - how hard it would be to refuse
 * @UB_HARD: an ordinary request: refused above the barrier
 * @UB_SOFT: one that is hard to refuse: refused above the limit
 * @UB_FORCE: one that cannot be refused: charged whatever it makes
 */
enum ub_severity { UB_HARD, UB_SOFT, UB_FORCE };

#ifdef CONFIG_VE

#include <linux/gfp.h>
#include <linux/mutex.h>
#include <linux/percpu_counter.h>
#include <linux/refcount.h>
#include <linux/ve.h>
#include <linux/workqueue.h>

/**
 * struct ub_who - who was refused
 * @pid: in the VE's numbers; 0: none of its processes
 * @comm: the program
 */
struct ub_who {
	pid_t		pid;
	char		comm[TASK_COMM_LEN];
};

/**
 * struct ub_row - a row of the table
 * @barrier, @limit: 0..UB_MAXVALUE, barrier <= limit; written under ub->lock
 * @held: in use, of a row that is not batched
 * @batched: counts what is in use of one that is; else NULL
 * @batch: how much a CPU may keep to itself; 0 in exact mode
 * @failcnt: refusals
 * @maxheld: the most that was held, as exact as what counts it
 * @told_at: jiffies of the last event
 * @untold: refusals since
 * @who: the first of them
 * @set: somebody has set bounds (for rows that the memory cgroup enforces)
 */
struct ub_row {
	s64		barrier;
	s64		limit;
	atomic64_t	held;
	struct percpu_counter *batched;
	s32		batch;
	bool		set;
	s64		maxheld;
	atomic64_t	failcnt;
	unsigned long	told_at;
	atomic64_t	untold;
	struct ub_who	who;
};

/* So many rows are charged so often that each CPU has a part of its own. */
#define UB_BATCHED 6

/**
 * struct user_beancounter - a VE's
 * @ref: the VE, each mm, file lock, shared memory inode and memory cgroup, and
 *	@tell while it waits; files and sockets hold the VE by what else they hold
 * @veid: for events and people; 0 until the VE has one
 * @exact: no per-CPU batches: slower, and maxheld is what there was
 * @lock: bounds, and @memcg
 * @memcg: the cgroup that is the VE, from START to STOPPED; counted
 * @batched: counters of the rows that have a per-CPU part
 * @aio_nr: requests of its AIO contexts, as aio_nr of the node; fs/aio.c's lock
 * @tell: of the refusals that came too fast to be told, when nothing follows them
 */
struct user_beancounter {
	refcount_t		ref;
	envid_t			veid;
	bool			exact;
	struct mutex		lock;
	struct mem_cgroup __rcu	*memcg;
	struct ub_row		row[UB_RESOURCES];
	struct percpu_counter	batched[UB_BATCHED];
	unsigned long		aio_nr;
	struct delayed_work	tell;
	struct rcu_head		rcu;
};

/* A beancounter without limits, one reference; NULL: no memory. */
struct user_beancounter *ub_alloc(void);
void ub_release(struct user_beancounter *ub);

/* NULL is fine for both; any context. */
static inline struct user_beancounter *ub_get(struct user_beancounter *ub)
{
	if (ub)
		refcount_inc(&ub->ref);
	return ub;
}

static inline void ub_put(struct user_beancounter *ub)
{
	if (ub && refcount_dec_and_test(&ub->ref))
		ub_release(ub);
}

/* How much of a row that has a counter of its own is in use. */
s64 ub_held(struct user_beancounter *ub, int resource);

bool __ub_charge(struct user_beancounter *ub, struct ub_row *row, s64 n, s64 bound);
void __ub_uncharge(struct ub_row *row, s64 n);
bool __ub_has_room(struct user_beancounter *ub, int resource, s64 n,
		   enum ub_severity how);

/* A refusal: count it, and tell it at most once a second, but not much later. */
void ub_refused(struct user_beancounter *ub, int resource);

static inline s64 ub_row_bound(const struct ub_row *row, enum ub_severity how)
{
	return how == UB_FORCE ? UB_MAXVALUE :
	       how == UB_HARD ? READ_ONCE(row->barrier) : READ_ONCE(row->limit);
}

/* Up to which a request may go; at least to what a guarantee of it says. */
static inline s64 ub_bound(const struct user_beancounter *ub, int resource,
			   enum ub_severity how)
{
	s64 bound = ub_row_bound(&ub->row[resource], how);

	if (resource == UB_PRIVVMPAGES)
		bound = max(bound, READ_ONCE(ub->row[UB_VMGUARPAGES].barrier));
	return bound;
}

/* __ub_charge() of a row that is not batched; @bound: what @how stands for. */
static inline bool ub_row_charge(struct user_beancounter *ub, struct ub_row *row,
				 s64 n, s64 bound)
{
	s64 held = atomic64_read(&row->held);

	do {
		if (unlikely(n > bound - held)) {
			ub_refused(ub, row - ub->row);
			return false;
		}
	} while (!atomic64_try_cmpxchg(&row->held, &held, held + n));
	if (held + n > READ_ONCE(row->maxheld))
		WRITE_ONCE(row->maxheld, held + n);
	return true;
}

/**
 * ub_charge - @n more of @resource are in use
 * @ub: whose; NULL is the node, which has no limits
 * @n: above 0
 *
 * Context: any.
 * Return: false when it is refused: then nothing is charged, and the refusal
 * is counted and told.
 */
static inline bool ub_charge(struct user_beancounter *ub, int resource, s64 n,
			     enum ub_severity how)
{
	return !ub || __ub_charge(ub, &ub->row[resource], n,
				  ub_bound(ub, resource, how));
}

static inline void ub_uncharge(struct user_beancounter *ub, int resource, s64 n)
{
	if (ub)
		__ub_uncharge(&ub->row[resource], n);
}

/* Would ub_charge() go through?  A "no" is counted and told as one. */
static inline bool ub_has_room(struct user_beancounter *ub, int resource, s64 n,
			       enum ub_severity how)
{
	return !ub || __ub_has_room(ub, resource, n, how);
}

/* What the node does for a VE (enters it, opens a terminal or a port) has the limit. */
static inline enum ub_severity ub_how(void)
{
	return current_on_node() ? UB_SOFT : UB_HARD;
}

/* So have files of the VE's own root, who may want to see what takes the others. */
static inline enum ub_severity ub_file_how(const struct cred *cred)
{
	return cap_raised(cred->cap_effective, CAP_SYS_ADMIN) &&
	       cred->user_ns == cred->user_ns->ve->user_ns ? UB_SOFT : UB_HARD;
}

static inline struct user_beancounter *userns_ub(const struct user_namespace *ns)
{
	return ns->ve->ub;
}

static inline struct user_beancounter *cred_ub(const struct cred *cred)
{
	return userns_ub(cred->user_ns);
}

static inline struct user_beancounter *task_ub(const struct task_struct *p)
{
	return p->ve->ub;
}

/*
 * A lock of a file is charged before it may be needed, to whoever asks for it,
 * and until it is freed; @ub: of struct file_lock_core.
 */
static inline bool __ub_flock_charge(struct user_beancounter **ub,
				     struct user_beancounter *to,
				     enum ub_severity how)
{
	struct ub_row *row;

	if (!to)
		return true;
	row = &to->row[UB_NUMFLOCK];
	if (!ub_row_charge(to, row, 1, ub_row_bound(row, how)))
		return false;
	*ub = ub_get(to);
	return true;
}

static inline bool ub_flock_charge(struct user_beancounter **ub)
{
	return __ub_flock_charge(ub, task_ub(current), UB_HARD);
}

/* One lock becomes two, which its owner may not know: up to the limit. */
static inline bool ub_flock_split(struct user_beancounter **ub,
				  struct user_beancounter *of)
{
	return __ub_flock_charge(ub, of, UB_SOFT);
}

static inline void ub_flock_free(struct user_beancounter *ub)
{
	if (!ub)
		return;
	atomic64_dec(&ub->row[UB_NUMFLOCK].held);
	ub_put(ub);
}

/* kernel/ve/ub/hooks.c */
void ub_mm_init(struct mm_struct *mm);
void ub_mm_exit(struct mm_struct *mm);
void ub_mm_free(struct mm_struct *mm);
bool __ub_may_expand(struct mm_struct *mm, unsigned long vm_flags, s64 pages);
bool __ub_may_copy(struct mm_struct *mm, const struct mm_struct *old);
bool __ub_may_lock(struct mm_struct *mm, unsigned long vm_flags, s64 pages);
bool ub_sk_alloc(struct sock *sk, const struct net *net, enum ub_severity how);
void ub_sk_free(struct sock *sk);
bool __ub_sk_mem_charge(struct sock *sk, int pages, int kind, enum ub_severity how);
void __ub_sk_mem_uncharge(struct sock *sk, int pages);
bool __ub_sk_send_charge(struct sock *sk, int bytes);
void __ub_sk_send_force(struct sock *sk, int bytes);
void __ub_sk_send_uncharge(struct sock *sk, int bytes);
struct user_beancounter *ub_of_net(const struct net *net);

/* kernel/ve/ub/memcg.c */
void ub_memcg_init(struct mem_cgroup *memcg, struct mem_cgroup *parent);
void ub_memcg_free(struct mem_cgroup *memcg);
bool __ub_kmem_charge(struct mem_cgroup *top, gfp_t gfp, long pages);
bool __ub_dcache_charge(struct mem_cgroup *top, gfp_t gfp, long bytes);
void ub_memcg_refused(struct mem_cgroup *memcg, int resource);
struct mem_cgroup *ub_memcg_get(struct user_beancounter *ub); /* counted, or NULL */
bool ub_fault_refused(void);
long ub_oom_guarantee(const struct task_struct *p, long totalpages);
/*
 * kzalloc() and kmem_cache_alloc() of what a packet brings about: the VE's whose
 * network it is, whoever happens to run.
 */
void *ub_net_kzalloc(const struct net *net, size_t size, gfp_t gfp);
void *ub_net_cache_alloc(const struct net *net, struct kmem_cache *cache, gfp_t gfp);

/* Who cannot wait, and a page fault that needs a page table, has the limit. */
static __always_inline s64 ub_memcg_bound(const struct ub_row *row, gfp_t gfp)
{
	return gfpflags_allow_blocking(gfp) && !(gfp & __GFP_ZERO) ?
	       READ_ONCE(row->barrier) : READ_ONCE(row->limit);
}

/*
 * @n more of @count, if the bound allows it or it cannot fail.  Inside RCU, be it
 * only that nothing preempts: these are the short ones.
 */
static __always_inline bool ub_memcg_try(struct ub_memcg *m, atomic_long_t *count,
					 unsigned long *max, int resource, long unit,
					 gfp_t gfp, long n)
{
	const struct user_beancounter *ub = rcu_dereference_sched(m->ub);
	s64 bound = ub ? ub_memcg_bound(&ub->row[resource], gfp) : UB_MAXVALUE;
	long now = atomic_long_add_return(n, count);

	if (likely((s64)now * unit <= bound) || gfp & __GFP_NOFAIL ||
	    current->flags & PF_MEMALLOC) {
		if (now > (long)READ_ONCE(*max))
			WRITE_ONCE(*max, now);
		return true;
	}
	atomic_long_sub(n, count);
	return false;
}

static inline bool ub_dcache_try(struct ub_memcg *m, gfp_t gfp, long bytes)
{
	return ub_memcg_try(m, &m->dcache, &m->dcache_max, UB_DCACHESIZE, 1, gfp,
			    bytes);
}

/* What was charged before the cgroup became a VE's was not counted. */
static inline void ub_memcg_uncharge(atomic_long_t *count, long n)
{
	if (unlikely(atomic_long_sub_return(n, count) < 0))
		atomic_long_add_unless(count, n, 0);
}

/* These look into structures that this header cannot know. */
#define ub_may_expand(mm, vm_flags, pages) \
	(!(mm)->ub || __ub_may_expand(mm, vm_flags, pages))
#define ub_may_copy(mm, old) \
	(!(mm)->ub || __ub_may_copy(mm, old))
#define ub_may_lock(mm, vm_flags, pages) \
	(!(mm)->ub || __ub_may_lock(mm, vm_flags, pages))
#define ub_aio_nr(mm) \
	((mm)->ub ? &(mm)->ub->aio_nr : NULL)

#define ub_kmem_charge(memcg, gfp, pages) \
	(!(memcg)->ub.top || __ub_kmem_charge((memcg)->ub.top, gfp, pages))
#define ub_kmem_uncharge(memcg, pages)					\
	do {								\
		if ((memcg)->ub.top)					\
			ub_memcg_uncharge(&(memcg)->ub.top->ub.kmem, pages); \
	} while (0)

#define ub_sk_mem_charge(sk, pages, kind, how) \
	(!(sk)->sk_ub || __ub_sk_mem_charge(sk, pages, kind, how))
#define ub_sk_mem_uncharge(sk, pages)					\
	do {								\
		if ((sk)->sk_ub)					\
			__ub_sk_mem_uncharge(sk, pages);		\
	} while (0)
#define ub_sk_send_charge(sk, bytes) \
	(!(sk)->sk_ub || __ub_sk_send_charge(sk, bytes))
#define ub_sk_send_force(sk, bytes)					\
	do {								\
		if ((sk)->sk_ub && (bytes))				\
			__ub_sk_send_force(sk, bytes);			\
	} while (0)
#define ub_sk_send_uncharge(sk, bytes)					\
	do {								\
		if ((sk)->sk_ub)					\
			__ub_sk_send_uncharge(sk, bytes);		\
	} while (0)

#else /* !CONFIG_VE */

#define ub_get(ub)				(ub)
#define ub_put(ub)				do { } while (0)
#define ub_charge(ub, resource, n, how)		true
#define ub_uncharge(ub, resource, n)		do { } while (0)
#define ub_has_room(ub, resource, n, how)	true
#define ub_mm_init(mm)				do { } while (0)
#define ub_mm_exit(mm)				do { } while (0)
#define ub_mm_free(mm)				do { } while (0)
#define ub_may_expand(mm, vm_flags, pages)	true
#define ub_may_copy(mm, old)			true
#define ub_may_lock(mm, vm_flags, pages)	true
#define ub_aio_nr(mm)				((unsigned long *)NULL)
#define ub_flock_charge(ub)			true
#define ub_flock_split(ub, of)			true
#define ub_flock_free(ub)			do { } while (0)
#define ub_sk_alloc(sk, net, how)		true
#define ub_sk_free(sk)				do { } while (0)
#define ub_sk_mem_charge(sk, pages, kind, how)	true
#define ub_sk_mem_uncharge(sk, pages)		do { } while (0)
#define ub_sk_send_charge(sk, bytes)		true
#define ub_sk_send_force(sk, bytes)		do { } while (0)
#define ub_sk_send_uncharge(sk, bytes)		do { } while (0)
#define ub_of_net(net)				NULL
#define ub_memcg_init(memcg, parent)		do { } while (0)
#define ub_memcg_free(memcg)			do { } while (0)
#define ub_kmem_charge(memcg, gfp, pages)	true
#define ub_kmem_uncharge(memcg, pages)		do { } while (0)
#define ub_memcg_refused(memcg, resource)	do { } while (0)
#define ub_fault_refused()			false
#define ub_oom_guarantee(p, totalpages)		0L
#define ub_net_kzalloc(net, size, gfp)		kzalloc(size, gfp)
#define ub_net_cache_alloc(net, cache, gfp)	kmem_cache_alloc(cache, gfp)

#endif /* CONFIG_VE */
#endif /* _LINUX_UB_H */
