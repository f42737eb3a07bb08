// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a VE, in two phases.
 *
 * First, when init begins to exit, nothing enters any more and the addresses
 * are gone, so that they can be lent again at once.  Then the existing code
 * kills what is left.  When init has been reaped, the VE is STOPPED: its
 * number, limits and private tree are free.  What is expensive to take down
 * (namespaces, mounts, with their RCU waits) is dropped by one worker that
 * takes as many VEs at a time as there are, never by an exiting init.
 */
#include "ve.h"

#include <linux/cgroup.h>
#include <linux/llist.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/ve_stat.h>
#include <linux/venet.h>

/* A pid namespace's init is about to kill the rest; is it a VE's? */
void ve_begin_stop(struct pid_namespace *pid_ns)
{
	struct ve_struct *ve = current->ve;

	if (ve_is_node(ve) || !ve->init || ve->init->pid != task_tgid(current))
		return;
	ve_set_state(ve, ENV_ST_STOPPING);
	venet_stop(ve);
}

/* Break the cycle of the VE and the namespaces that it owns. */
void ve_drop_context(struct ve_struct *ve)
{
	const struct cred *cred;
	struct nsproxy *nsproxy;
	struct path root, devpts;
	struct ve_proc *init;
	struct cgroup *acct;

	scoped_guard(mutex, &ve->lock) {
		nsproxy = ve->nsproxy;
		cred = ve->cred;
		root = ve->root;
		devpts = ve->devpts;
		acct = ve->acct;
		init = ve->init;
		ve->nsproxy = NULL;
		ve->cred = NULL;
		ve->root = (struct path){};
		ve->devpts = (struct path){};
		ve->acct = NULL;
		WRITE_ONCE(ve->init, NULL);
	}
	path_put(&devpts);
	path_put(&root);
	if (nsproxy)
		put_nsproxy(nsproxy);
	ve_cpu_stop(ve);
	ve_load_stop(ve);
	ub_stop(ve->ub);
	if (acct)
		cgroup_put(acct);
	ve_proc_put(init);
	/* Last: with the user namespace goes its reference on the VE. */
	if (cred)
		put_cred(cred);
}

static LLIST_HEAD(ve_dead);

static void ve_drop_work(struct work_struct *work)
{
	struct llist_node *dead = llist_reverse_order(llist_del_all(&ve_dead));
	struct ve_struct *ve, *next;

	llist_for_each_entry_safe(ve, next, dead, dead) {
		venet_abort_orphans(ve);
		ve_drop_context(ve);
		ve_put(ve);
	}
}

static DECLARE_WORK(ve_drop, ve_drop_work);

/* From any context; the VE is STOPPED and is queued once in its life. */
void ve_queue_drop(struct ve_struct *ve)
{
	ve_get(ve);
	llist_add(&ve->dead, &ve_dead);
	queue_work(system_unbound_wq, &ve_drop);
}
