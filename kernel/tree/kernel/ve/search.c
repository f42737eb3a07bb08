// SPDX-License-Identifier: GPL-2.0-only
/*
 * Searches of the process table.  The announcement replaced for_each_task()
 * by for_each_task_all() and for_each_task_ve(), find_task_by_pid() by
 * find_task_by_pid_all() and find_task_by_pid_ve().  Here a VE's tasks are
 * those with a number in its root pid namespace, nested namespaces included,
 * so a search costs what the VE has, not what the machine has.
 */
#include "ve.h"

#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>

static struct pid_namespace *ve_pid_ns(struct ve_struct *ve)
{
	const struct ve_proc *init = READ_ONCE(ve->init);

	if (ve_is_node(ve))
		return &init_pid_ns;
	return init ? ns_of_pid(init->pid) : NULL;
}

/* Both return a task that is valid inside the caller's RCU section. */
struct task_struct *find_task_by_pid_all(pid_t nr)
{
	return find_task_by_pid_ns(nr, &init_pid_ns);
}

struct task_struct *find_task_by_pid_ve(struct ve_struct *ve, pid_t nr)
{
	struct pid_namespace *ns = ve_pid_ns(ve);

	return ns ? find_task_by_pid_ns(nr, ns) : NULL;
}

/* The first thread group leader of @ve whose number is *@nr or more. */
struct task_struct *ve_next_task(struct ve_struct *ve, pid_t *nr)
{
	struct pid_namespace *ns = ve_pid_ns(ve);
	struct task_struct *p;
	struct pid *pid;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "ve_next_task() needs RCU");
	if (!ns)
		return NULL;
	while ((pid = find_ge_pid(*nr, ns))) {
		*nr = pid_nr_ns(pid, ns);
		p = pid_task(pid, PIDTYPE_TGID);
		if (p)
			return p;
		(*nr)++;
	}
	return NULL;
}
