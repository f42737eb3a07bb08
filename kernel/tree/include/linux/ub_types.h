/* SPDX-License-Identifier: GPL-2.0-only */
/* What structures of the rest of the kernel contain; <linux/ub.h> has the rest. */
#ifndef _LINUX_UB_TYPES_H
#define _LINUX_UB_TYPES_H

#include <linux/types.h>

struct mem_cgroup;
struct user_beancounter;

/**
 * struct ub_memcg - what the VE's memory cgroup counts besides memory.max
 * @top: the cgroup that is the VE: itself, an ancestor, or NULL outside VEs
 * @ub: of the VE that runs there now; counted; under RCU
 * @kmem: pages of kernel memory, with the cgroups below
 * @dcache: bytes of dentries, inodes and what is freed with them
 * @kmem_max, @dcache_max: the most there was since the VE's start
 *
 * The cgroup may outlive its VE, and may get another one: the counts stay with
 * the objects that were counted.
 */
struct ub_memcg {
	struct mem_cgroup		*top;
	struct user_beancounter __rcu	*ub;
	atomic_long_t			kmem;
	atomic_long_t			dcache;
	unsigned long			kmem_max;
	unsigned long			dcache_max;
};

#endif
