// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests, on debug kernels alone: switch off one guard of the boundary, or
 * play the exploit that has already got past everything else.
 *
 *   guard/NAME	 "0" switches the guard off, "1" on
 *   become_root whoever writes gets the credentials of the node's root: what a
 *		 kernel bug would give, and what the guards have to hold
 *   reach	 "setnice PID": is the hook's answer for that task of the node,
 *		 as if a search had found it
 */
#include "ve.h"

#include <linux/cred.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/uaccess.h>
#include <linux/ve_guard.h>

bool ve_guards_off[VE_GUARDS_NR];

static const char *const guard_names[] = {
#define X(name) #name,
	VE_GUARDS(X)
#undef X
};

static int guard_get(void *data, u64 *val)
{
	*val = !READ_ONCE(*(bool *)data);
	return 0;
}

static int guard_set(void *data, u64 val)
{
	bool *off = data;

	if (!current_on_node())
		return -EPERM;
	pr_notice("ve: guard %s is %s\n", guard_names[off - ve_guards_off],
		  val ? "on" : "off");
	WRITE_ONCE(*off, !val);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(guard_fops, guard_get, guard_set, "%llu\n");

static ssize_t become_root_write(struct file *file, const char __user *buf,
				 size_t len, loff_t *ppos)
{
	struct cred *new = prepare_kernel_cred(&init_task);

	if (!new)
		return -ENOMEM;
	return commit_creds(new) ?: len;
}

static const struct file_operations become_root_fops = {
	.write	= become_root_write,
	.llseek	= noop_llseek,
};

static int ve_reach(const char *what, struct task_struct *p)
{
	if (!strcmp(what, "kill"))
		return security_task_kill(p, SEND_SIG_NOINFO, 0, NULL);
	if (!strcmp(what, "setnice"))
		return security_task_setnice(p, 0);
	if (!strcmp(what, "setpgid"))
		return security_task_setpgid(p, 0);
	if (!strcmp(what, "getpgid"))
		return security_task_getpgid(p);
	if (!strcmp(what, "getsid"))
		return security_task_getsid(p);
	if (!strcmp(what, "setioprio"))
		return security_task_setioprio(p, 0);
	if (!strcmp(what, "getioprio"))
		return security_task_getioprio(p);
	if (!strcmp(what, "setscheduler"))
		return security_task_setscheduler(p);
	if (!strcmp(what, "getscheduler"))
		return security_task_getscheduler(p);
	if (!strcmp(what, "movememory"))
		return security_task_movememory(p);
	return -EINVAL;
}

static ssize_t reach_write(struct file *file, const char __user *buf,
			   size_t len, loff_t *ppos)
{
	char line[32] = {}, what[16];
	int pid, err = -ESRCH;
	struct task_struct *p;

	if (len >= sizeof(line) || copy_from_user(line, buf, len))
		return -EFAULT;
	if (sscanf(line, "%15s %d", what, &pid) != 2)
		return -EINVAL;
	guard(rcu)();
	p = find_task_by_pid_all(pid);
	if (p)
		err = ve_reach(what, p);
	return err ?: len;
}

static const struct file_operations reach_fops = {
	.write	= reach_write,
	.llseek	= noop_llseek,
};

static int __init ve_guard_init(void)
{
	struct dentry *top = debugfs_create_dir("ve", NULL);
	struct dentry *dir = debugfs_create_dir("guard", top);
	int i;

	for (i = 0; i < VE_GUARDS_NR; i++)
		debugfs_create_file_unsafe(guard_names[i], 0600, dir,
					   &ve_guards_off[i], &guard_fops);
	debugfs_create_file_unsafe("become_root", 0200, top, NULL,
				   &become_root_fops);
	debugfs_create_file_unsafe("reach", 0200, top, NULL, &reach_fops);
	return 0;
}
late_initcall(ve_guard_init);
