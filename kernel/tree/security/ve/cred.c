// SPDX-License-Identifier: GPL-2.0-only
/* Capabilities and user namespaces. */
#include "ve.h"

/* In a VE no capability reaches beyond the VE, whatever credentials say. */
static int ve_capable(const struct cred *cred, struct user_namespace *ns,
		      int cap, unsigned int opts)
{
	if (!ve_inside() || !ve_guard(capable))
		return 0;
	if (userns_ve(ns) == current->ve)
		return 0;
	/* An ordinary program may ask for what it can't have, but only with the
	 * VE's own credentials: with others, a hole in the kernel was used.
	 */
	if (userns_ve(current_real_cred()->user_ns) != current->ve)
		ve_alarm("a process has credentials from outside the VE: capability %d refused",
			 cap);
	return -EPERM;
}

static int ve_userns_create(const struct cred *cred)
{
	if (ve_has(ENV_FEAT_NESTING) || !ve_guard(userns))
		return 0;
	return -EPERM;
}

#ifdef CONFIG_DEBUG_VE
/* A task of a VE never gets credentials of another; the node may go into one. */
static int ve_task_fix_setuid(struct cred *new, const struct cred *old,
			      int flags)
{
	WARN_ON_ONCE(!current_on_node() && cred_ve(new) != current->ve);
	return 0;
}
#endif

static struct security_hook_list ve_cred_hooks[] __ro_after_init = {
	LSM_HOOK_INIT(capable, ve_capable),
	LSM_HOOK_INIT(userns_create, ve_userns_create),
#ifdef CONFIG_DEBUG_VE
	LSM_HOOK_INIT(task_fix_setuid, ve_task_fix_setuid),
#endif
};

__init void ve_add_cred_hooks(void)
{
	security_add_hooks(ve_cred_hooks, ARRAY_SIZE(ve_cred_hooks), &ve_lsmid);
}
