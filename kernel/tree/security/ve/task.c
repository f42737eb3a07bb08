// SPDX-License-Identifier: GPL-2.0-only
/* Acts of a task on another task. */
#include "ve.h"

#include <linux/fs.h>

/* By number only tasks of its own are found; this is the second lock. */
static int ve_task_reach(struct task_struct *p)
{
	return ve_guard(task) ? ve_check_reach(current->ve, task_ve(p)) : 0;
}

/* Also asked by pidfd_getfd(2), process_madvise(2), process_vm_readv(2). */
static int ve_ptrace_access_check(struct task_struct *child, unsigned int mode)
{
	return ve_guard(ptrace) ? ve_check_reach(current->ve, task_ve(child)) :
				  0;
}

static int ve_task_kill(struct task_struct *p, struct kernel_siginfo *info,
			int sig, const struct cred *cred)
{
	if (!ve_guard(kill))
		return 0;
	return ve_check_reach(cred ? cred_ve(cred) : current->ve, task_ve(p));
}

/* SIGIO never goes across: neither does SIGURG, which asks here too. */
static int ve_file_send_sigiotask(struct task_struct *p,
				  struct fown_struct *fown, int sig)
{
	if (!ve_guard(sigio))
		return 0;
	return cred_ve(fown->file->f_cred) == task_ve(p) ? 0 : -EPERM;
}

static int ve_task_setpgid(struct task_struct *p, pid_t pgid)
{
	return ve_task_reach(p);
}

/*
 * Init, and who was let in, has a parent on the node, who would never wait for one
 * that it traces: no guard to be switched off, or tests would not end.
 */
static int ve_ptrace_traceme(struct task_struct *parent)
{
	return task_ve(parent) == task_ve(current) ? 0 : -EPERM;
}

static int ve_task_setnice(struct task_struct *p, int nice)
{
	return ve_task_reach(p);
}

static int ve_task_setioprio(struct task_struct *p, int ioprio)
{
	return ve_task_reach(p);
}

static int ve_task_prlimit(const struct cred *cred, const struct cred *tcred,
			   unsigned int flags)
{
	return ve_guard(task) ? ve_check_reach(cred_ve(cred), cred_ve(tcred)) :
				0;
}

static struct security_hook_list ve_task_hooks[] __ro_after_init = {
	LSM_HOOK_INIT(ptrace_access_check, ve_ptrace_access_check),
	LSM_HOOK_INIT(ptrace_traceme, ve_ptrace_traceme),
	LSM_HOOK_INIT(task_kill, ve_task_kill),
	LSM_HOOK_INIT(file_send_sigiotask, ve_file_send_sigiotask),
	LSM_HOOK_INIT(task_setpgid, ve_task_setpgid),
	LSM_HOOK_INIT(task_getpgid, ve_task_reach),
	LSM_HOOK_INIT(task_getsid, ve_task_reach),
	LSM_HOOK_INIT(task_setnice, ve_task_setnice),
	LSM_HOOK_INIT(task_setioprio, ve_task_setioprio),
	LSM_HOOK_INIT(task_getioprio, ve_task_reach),
	LSM_HOOK_INIT(task_prlimit, ve_task_prlimit),
	LSM_HOOK_INIT(task_setscheduler, ve_task_reach),
	LSM_HOOK_INIT(task_getscheduler, ve_task_reach),
	LSM_HOOK_INIT(task_movememory, ve_task_reach),
};

__init void ve_add_task_hooks(void)
{
	security_add_hooks(ve_task_hooks, ARRAY_SIZE(ve_task_hooks), &ve_lsmid);
}
