/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SECURITY_VE_VE_H
#define _SECURITY_VE_VE_H

#include <linux/lsm_hooks.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/ve.h>
#include <linux/ve_guard.h>

extern const struct lsm_id ve_lsmid;

/* Each aspect adds its own hooks. */
void ve_add_cred_hooks(void);
void ve_add_task_hooks(void);
void ve_add_file_hooks(void);
void ve_add_socket_hooks(void);
void ve_add_gate_hooks(void);

/*
 * A refusal that an operator wants to know of, since no ordinary program comes
 * to it.  Who did it stands in front; comm is the VE's to choose.  Each VE has
 * a rate of its own: the noise of one hides nothing of another.
 */
#define ve_alarm(fmt, ...)						\
do {									\
	if (__ratelimit(&current->ve->alarm))				\
		pr_warn("ve: VE %u, %*pE[%d]: " fmt "\n",		\
			current->ve->veid,				\
			(int)strnlen(current->comm, TASK_COMM_LEN),	\
			current->comm, task_pid_nr(current),		\
			##__VA_ARGS__);					\
} while (0)

/* May somebody of @from act on something of @to? */
static inline bool ve_may_reach(const struct ve_struct *from,
				const struct ve_struct *to)
{
	return ve_is_node(from) || from == to;
}

static inline int ve_check_reach(const struct ve_struct *from,
				 const struct ve_struct *to)
{
	if (ve_may_reach(from, to))
		return 0;
	ve_alarm("reaching for something of VE %u refused", to->veid);
	return -EPERM;
}

/*
 * Does the kernel act here under credentials that it has put on (overlayfs for
 * its layers, the agent's pty)?  Then the task's VE is not what counts.
 */
static inline bool ve_creds_overridden(void)
{
	return current_cred() != current_real_cred();
}

/* Does the task's VE have one of these features?  The node has all. */
static inline bool ve_has(u64 features)
{
	return READ_ONCE(current->ve->features) & features;
}

/* Is this a task of a VE, acting as itself? */
static inline bool ve_inside(void)
{
	return !current_on_node() && !ve_creds_overridden();
}

#endif
