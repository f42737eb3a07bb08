// SPDX-License-Identifier: GPL-2.0-only
/*
 * Setting the bounds and reading the rows: env_ctl(2) ENV_CTL_UB_SET and
 * ENV_CTL_UB_STAT, and the calls of 2000, getluid, setluid, setublimit, ubstat.
 */
#include "ub.h"

#include <linux/smp.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>

static bool ub_limit_ok(const struct env_ublimit *l)
{
	return l->resource < UB_RESOURCES && ub_names[l->resource] &&
	       !l->__reserved && l->barrier <= l->limit &&
	       l->limit <= UB_MAXVALUE;
}

/**
 * ub_set - set bounds, all or none
 * @ve: any VE that has not ended
 * @limits: @nr of them; of two for one resource the last one counts
 * @flags: ENV_UB_EXACT or ENV_UB_BATCHED: how to count from now on; 0: as before
 *
 * What is held already stays; only what is asked for later is refused.  Rows
 * of memory reclaim down to a new limit before this returns.
 *
 * Return: 0, -EINVAL (resource, or bounds the wrong way round), -EOPNOTSUPP (a
 * row of memory, and the VE has no memory cgroup).
 */
int ub_set(struct ve_struct *ve, const struct env_ublimit *limits, u32 nr,
	   u32 flags)
{
	struct user_beancounter *ub = ve->ub;
	bool running, exact;
	u32 i;

	for (i = 0; i < nr; i++)
		if (!ub_limit_ok(&limits[i]))
			return -EINVAL;

	guard(mutex)(&ub->lock);
	running = ve_state(ve) != ENV_ST_EMBRYO;
	for (i = 0; i < nr; i++)
		if (running && !rcu_access_pointer(ub->memcg) && ub_row_of_memcg(limits[i].resource))
			return -EOPNOTSUPP;
	exact = flags ? flags == ENV_UB_EXACT : ub->exact;
	if (exact != ub->exact) {
		ub_set_exact(ub, exact);
		if (exact)
			on_each_cpu(ub_fold, ub, 1);
	}
	for (i = 0; i < nr; i++) {
		struct ub_row *row = &ub->row[limits[i].resource];

		WRITE_ONCE(row->barrier, limits[i].barrier);
		WRITE_ONCE(row->limit, limits[i].limit);
		row->set = true;
	}
	for (i = 0; rcu_access_pointer(ub->memcg) && i < nr; i++)
		ub_memcg_apply(ub, limits[i].resource);
	return 0;
}

void ub_stat(struct user_beancounter *ub, int resource, struct env_ubstat *stat)
{
	struct ub_row *row = &ub->row[resource];

	*stat = (struct env_ubstat){};
	if (!ub_names[resource])
		return;
	stat->barrier = READ_ONCE(row->barrier);
	stat->limit = READ_ONCE(row->limit);
	stat->failcnt = atomic64_read(&row->failcnt);
	if (ub_row_of_memcg(resource)) {
		stat->held = ub_memcg_held(ub, resource);
		stat->maxheld = ub_memcg_maxheld(ub, resource);
	} else {
		stat->held = ub_held(ub, resource);
		if (stat->held > READ_ONCE(row->maxheld))
			WRITE_ONCE(row->maxheld, stat->held);
		stat->maxheld = READ_ONCE(row->maxheld);
	}
	stat->maxheld = max(stat->maxheld, stat->held);
}

/* The VE that @id names for the calls below, counted; inside, one's own. */
static struct ve_struct *ub_ve(envid_t id)
{
	struct ve_struct *ve;

	if (!current_on_node()) {
		if (id != current->ve->veid ||
		    !ns_capable(current->ve->user_ns, CAP_SYS_ADMIN))
			return ERR_PTR(-EPERM);
		return ve_get(current->ve);
	}
	if (!ve_may_control())
		return ERR_PTR(-EPERM);
	ve = id && id <= ENV_VEID_MAX ? ve_lookup(id) : NULL;
	return ve ?: ERR_PTR(-ESRCH);
}

/**
 * sys_getluid - whose beancounter the caller is charged to
 *
 * Return: the number of the caller's VE, 0 on the node.
 */
SYSCALL_DEFINE0(getluid)
{
	return current->ve->veid;
}

/**
 * sys_setluid - take a beancounter
 * @id: its number
 *
 * The number is given once, with the VE, and kept for life.
 *
 * Return: 0 when it is the caller's already, else -EPERM.
 */
SYSCALL_DEFINE1(setluid, envid_t, id)
{
	return id == current->ve->veid ? 0 : -EPERM;
}

/**
 * sys_setublimit - set the bounds of one resource
 * @id: of a VE
 * @resource: enum ub_resource
 * @ulimits: barrier and limit
 *
 * Return: 0, -EPERM (not the node's root), -EINVAL, -ESRCH, -EFAULT,
 * -EOPNOTSUPP.
 */
SYSCALL_DEFINE3(setublimit, envid_t, id, unsigned int, resource,
		const __u64 __user *, ulimits)
{
	struct ve_struct *ve __free(ve_put) = NULL;
	struct env_ublimit limit = { .resource = resource };
	struct ve_struct *found;
	__u64 bounds[2];

	if (!ve_may_control())
		return -EPERM;
	if (copy_from_user(bounds, ulimits, sizeof(bounds)))
		return -EFAULT;
	found = ub_ve(id);
	if (IS_ERR(found))
		return PTR_ERR(found);
	ve = found;
	limit.barrier = bounds[0];
	limit.limit = bounds[1];
	return ub_set(ve, &limit, 1, 0);
}

/**
 * sys_ubstat - read rows
 * @id: of a VE; inside one, its own
 * @first: the first resource that is wanted
 * @ustats: struct env_ubstat[]
 * @size: of the room there, in bytes
 *
 * Return: how many rows were filled; -EPERM, -ESRCH, -EINVAL (no such row, no
 * room for one), -EFAULT.
 */
SYSCALL_DEFINE4(ubstat, envid_t, id, unsigned int, first,
		struct env_ubstat __user *, ustats, size_t, size)
{
	struct ve_struct *ve __free(ve_put) = NULL;
	struct ve_struct *found = ub_ve(id);
	struct env_ubstat stat;
	u32 n;

	if (IS_ERR(found))
		return PTR_ERR(found);
	ve = found;
	if (first >= UB_RESOURCES || size < sizeof(stat))
		return -EINVAL;
	for (n = 0; first + n < UB_RESOURCES && size >= (n + 1) * sizeof(stat); n++) {
		ub_stat(ve->ub, first + n, &stat);
		if (copy_to_user(ustats + n, &stat, sizeof(stat)))
			return -EFAULT;
	}
	return n;
}
