// SPDX-License-Identifier: GPL-2.0-only
/*
 * env_create(2) and env_enter(2): making a VE and putting processes into it.
 */
#include "ve.h"

#include <linux/cgroup.h>
#include <linux/file.h>
#include <linux/mnt_namespace.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include <linux/utsname.h>

/*
 * What root in a VE may hold, in its own user namespace.  The rest would mean
 * nothing there; leaving it out lets programs see that they need not try.
 */
static const u8 ve_caps[] = {
	CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER,
	CAP_FSETID, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP,
	CAP_NET_BIND_SERVICE, CAP_NET_BROADCAST, CAP_NET_ADMIN, CAP_NET_RAW,
	CAP_IPC_LOCK, CAP_IPC_OWNER, CAP_SYS_CHROOT, CAP_SYS_PTRACE,
	CAP_SYS_ADMIN, CAP_SYS_BOOT, CAP_SYS_NICE, CAP_SYS_RESOURCE,
	CAP_SYS_TTY_CONFIG, CAP_LEASE, CAP_SETFCAP, CAP_AUDIT_WRITE,
};

/* Only the node's own root makes and changes VEs; there is no nesting. */
bool ve_may_control(void)
{
	return current_on_node() && capable(CAP_SYS_ADMIN);
}

/* Credentials of VE root, without a user namespace of its own yet. */
static struct cred *ve_outer_cred(struct ve_struct *ve)
{
	kuid_t kuid = KUIDT_INIT(ve->id_first);
	kgid_t kgid = KGIDT_INIT(ve->id_first);
	struct user_struct *user;
	struct cred *new;

	new = prepare_kernel_cred(&init_task);
	if (!new)
		return NULL;
	user = alloc_uid(kuid);
	if (!user) {
		put_cred(new);
		return NULL;
	}
	free_uid(new->user);
	new->user = user;
	new->uid = new->euid = new->suid = new->fsuid = kuid;
	new->gid = new->egid = new->sgid = new->fsgid = kgid;
	return new;
}

/*
 * How many namespaces a VE may have, those that it is made of included: each
 * costs memory of the node, a network most of all.
 */
static void ve_bound_namespaces(struct user_namespace *ns)
{
	int i;

	for (i = 0; i <= UCOUNT_TIME_NAMESPACES; i++)
		ns->ucount_max[i] = i == UCOUNT_NET_NAMESPACES ? 16 : 256;
}

/*
 * The user namespace, owned by the VE root's id on the node: per-user counts
 * of all VEs would meet at a common owner.
 */
static int ve_make_cred(struct ve_struct *ve)
{
	kernel_cap_t caps = CAP_EMPTY_SET;
	struct cred *new;
	int err, i;

	new = ve_outer_cred(ve);
	if (!new)
		return -ENOMEM;
	err = set_cred_ucounts(new);
	if (!err)
		err = create_user_ns(new);
	if (err) {
		put_cred(new);
		return err;
	}
	ve_bound_namespaces(new->user_ns);
	new->user_ns->ve = ve_get(ve);
	ve->user_ns = new->user_ns;
	userns_set_map(new->user_ns, ve->id_first, ve->id_count);
	err = set_cred_ucounts(new);
	if (err) {
		put_cred(new);
		return err;
	}
	for (i = 0; i < ARRAY_SIZE(ve_caps); i++)
		cap_raise(caps, ve_caps[i]);
	new->cap_permitted = new->cap_effective = new->cap_bset = caps;
	cap_clear(new->cap_inheritable);
	cap_clear(new->cap_ambient);
	ve->cred = new;
	return 0;
}

static int ve_make_namespaces(struct ve_struct *ve)
{
	struct nsproxy *ns;

	ns = create_new_namespaces(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID |
				   CLONE_NEWNET | CLONE_NEWCGROUP,
				   &init_task, ve->user_ns, NULL);
	/* Parts of a network say ENODEV, EAFNOSUPPORT... when memory is short. */
	if (IS_ERR(ns))
		return PTR_ERR(ns) == -ENOSPC ? -ENOSPC : -ENOMEM;
	/* The node's mount namespace came along; the VE's is made at START. */
	put_mnt_ns(ns->mnt_ns);
	ns->mnt_ns = NULL;
	ve->nsproxy = ns;
	return 0;
}

/* Undo ve_hold(). */
static void ve_discard(struct ve_struct *ve)
{
	ve_set_state(ve, ENV_ST_STOPPED);
	ve_drop_context(ve);
	ve_put(ve);
}

/* A VE in state EMBRYO: all that belongs to nobody yet. */
static struct ve_struct *ve_hold(const struct env_create_args *args)
{
	struct ve_struct *ve;
	int err;

	ve = ve_alloc();
	if (!ve)
		return ERR_PTR(-ENOMEM);
	ve->flags = args->flags;
	ve->features = args->features;
	ve->id_first = args->id_first;
	ve->id_count = args->id_count;
	scoped_guard(mutex, &ve->lock) {
		err = ve_make_cred(ve);
		if (!err)
			err = ve_make_namespaces(ve);
	}
	if (err) {
		ve_discard(ve);
		return ERR_PTR(err);
	}
	return ve;
}

static int ve_copy_name(char *to, u64 from, const char *otherwise)
{
	long n;

	if (!from) {
		strscpy(to, otherwise, __NEW_UTS_LEN + 1);
		return 0;
	}
	n = strncpy_from_user(to, u64_to_user_ptr(from), __NEW_UTS_LEN + 1);
	if (n < 0)
		return n;
	return n && n <= __NEW_UTS_LEN ? 0 : -EINVAL;
}

static int ve_set_names(struct ve_struct *ve, const struct env_create_args *args)
{
	char host[__NEW_UTS_LEN + 1], domain[__NEW_UTS_LEN + 1], own[16];
	struct new_utsname *name = &ve->nsproxy->uts_ns->name;
	int err;

	snprintf(own, sizeof(own), "ve%u", args->veid);
	err = ve_copy_name(host, args->hostname, own);
	if (!err)
		err = ve_copy_name(domain, args->domainname, "(none)");
	if (err)
		return err;
	down_write(&uts_sem);
	strscpy_pad(name->nodename, host);
	strscpy_pad(name->domainname, domain);
	up_write(&uts_sem);
	return 0;
}

static int ve_set_root(struct ve_struct *ve, int fd)
{
	struct file *file __free(fput) = fget_raw(fd);
	struct mnt_namespace *mnt_ns;

	if (!file)
		return -EBADF;
	mnt_ns = mnt_ns_from_detached(&file->f_path, ve->user_ns, &ve->root);
	if (IS_ERR(mnt_ns))
		return PTR_ERR(mnt_ns);
	ve->nsproxy->mnt_ns = mnt_ns;
	return 0;
}

static int ve_set_acct(struct ve_struct *ve, envid_t veid, int fd)
{
	struct cgroup *cgrp = cgroup_get_from_fd(fd);

	if (IS_ERR(cgrp))
		return PTR_ERR(cgrp);
	ve->acct = cgrp;
	return ub_start(ve->ub, veid, cgrp) ?: ve_cpu_apply(ve);
}

/*
 * Give back what a start took, so that a held VE can be started again; unless
 * its pid namespace has ended with an init that came to nothing.
 */
static void ve_unstart(struct ve_struct *ve)
{
	const struct pid_namespace *pid_ns = ve->nsproxy->pid_ns_for_children;

	ve_unregister(ve);
	ve->veid = 0;
	ub_stop(ve->ub);
	if (ve->acct)
		cgroup_put(ve->acct);
	ve->acct = NULL;
	path_put(&ve->root);
	ve->root = (struct path){};
	if (ve->nsproxy->mnt_ns)
		put_mnt_ns(ve->nsproxy->mnt_ns);
	ve->nsproxy->mnt_ns = NULL;
	if (READ_ONCE(pid_ns->pid_allocated) & PIDNS_ADDING) {
		ve_set_state(ve, ENV_ST_EMBRYO);
	} else {
		ve_set_state(ve, ENV_ST_STOPPED);
		ve_queue_drop(ve);
	}
}

static struct ve_proc *ve_start_init(struct ve_struct *ve,
				     const struct env_create_args *args)
{
	struct file *cgroup __free(fput) = fget_raw(args->cgroup_fd);
	struct ve_exec ex = {};
	struct ve_proc *proc;
	int err;

	if (!cgroup)
		return ERR_PTR(-EBADF);
	err = ve_exec_copy(&ex, &args->init);
	if (!err && (ex.uid || ex.gid))
		err = -EINVAL;
	if (!err)
		err = ve_set_names(ve, args);
	if (!err)
		err = ve_set_root(ve, args->root_fd);
	if (!err)
		err = ve_set_acct(ve, args->veid, args->acct_cgroup_fd);
	if (err) {
		ve_exec_release(&ex);
		return ERR_PTR(err);
	}
	ve->start_boottime = ktime_get_boottime_ns();
	proc = ve_spawn(ve, &ex, cgroup, true);
	return proc;
}

/* Wait for init's exec; a caller that is killed takes the VE along. */
static int ve_await_exec(struct ve_struct *ve, struct ve_proc *proc)
{
	int err;

	err = wait_event_killable(proc->wait,
				  READ_ONCE(proc->state) != ENV_PROC_EXECING ||
				  READ_ONCE(proc->exec_error));
#ifdef CONFIG_FAULT_INJECTION
	current->fail_nth = proc->fail_nth;
#endif
	if (err)
		kill_pid(proc->pid, SIGKILL, 1);
	else if (READ_ONCE(proc->exec_error))
		err = -(int)proc->exec_error;
	if (err) {
		wait_event(ve->wait, ve_state(ve) == ENV_ST_STOPPED);
		return err;
	}
	/* Refused when init has already ended: that is no failure to start. */
	ve_set_state(ve, ENV_ST_RUNNING);
	return 0;
}

/**
 * ve_start - give a held VE its identity, its root and its init
 * @ve: in state EMBRYO
 * @args: checked by ve_create_check()
 *
 * Return: 0 once init has passed exec.  -EBUSY (not EMBRYO), -EEXIST (veid is
 * taken), what exec returned, or the error of a step; a held VE that got no
 * init is EMBRYO again, one whose init failed, or could not join its cgroup, is
 * STOPPED.
 */
int ve_start(struct ve_struct *ve, const struct env_create_args *args)
{
	struct ve_proc *proc;
	int err;

	scoped_guard(mutex, &ve->lock) {
		if (!ve->nsproxy)
			return -EBUSY;
		err = ve_set_state(ve, ENV_ST_STARTING);
		if (err)
			return err;
		err = ve_register(ve, args->veid);
		proc = err ? ERR_PTR(err) : ve_start_init(ve, args);
		if (IS_ERR(proc)) {
			ve_unstart(ve);
			return PTR_ERR(proc);
		}
	}
	err = ve_await_exec(ve, proc);
	ve_proc_put(proc);
	return err;
}

/**
 * sys_env_create - make a Virtual Environment
 * @uargs: struct env_create_args
 * @size: of the structure
 *
 * Return: a VE descriptor, or EPERM (not the node's root), EINVAL (size, flag,
 * range, name, root that is no detached mount), E2BIG, EFAULT, EBADF, EEXIST
 * (veid is taken), ENOSPC (namespaces), ENOMEM, EMFILE, EINTR (killed), or why
 * init could not be executed.  After an error nothing is left.
 */
SYSCALL_DEFINE2(env_create, const struct env_create_args __user *, uargs,
		size_t, size)
{
	struct env_create_args args;
	struct ve_struct *ve;
	struct file *file;
	int err, fd;

	BUILD_BUG_ON(sizeof(args) != ENV_CREATE_ARGS_SIZE_VER0);
	if (!ve_may_control())
		return -EPERM;
	if (size < ENV_CREATE_ARGS_SIZE_VER0)
		return -EINVAL;
	err = copy_struct_from_user(&args, sizeof(args), uargs, size);
	if (!err)
		err = ve_create_check(&args);
	if (err)
		return err;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	ve = ve_hold(&args);
	file = IS_ERR(ve) ? ERR_CAST(ve) : ve_file_create(ve);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		if (!IS_ERR(ve))
			ve_discard(ve);
		return PTR_ERR(file);
	}
	if (!(args.flags & ENV_CREATE_HOLD))
		err = ve_start(ve, &args);
	ve_put(ve);
	if (err) {
		/* The last descriptor of a VE that is EMBRYO takes it down. */
		fput(file);
		put_unused_fd(fd);
		return err;
	}
	fd_install(fd, file);
	return fd;
}

/**
 * sys_env_enter - spawn a process in a VE
 * @fd: VE descriptor
 * @uargs: struct env_enter_args
 * @size: of the structure
 *
 * Return: a process descriptor as soon as the process exists; the result of
 * its exec comes by the descriptor.  EPERM, EINVAL, E2BIG, EFAULT, EBADF,
 * ESRCH (the VE is not running), EAGAIN (limits), ENOMEM, EMFILE.
 */
SYSCALL_DEFINE3(env_enter, int, fd, const struct env_enter_args __user *, uargs,
		size_t, size)
{
	struct file *file __free(fput) = fget(fd);
	struct file *cgroup __free(fput) = NULL;
	struct env_enter_args args;
	struct ve_exec ex = {};
	struct ve_struct *ve;
	struct ve_proc *proc;
	struct file *out;
	int err, new_fd;

	BUILD_BUG_ON(sizeof(args) != ENV_ENTER_ARGS_SIZE_VER0);
	if (!ve_may_control())
		return -EPERM;
	if (!file)
		return -EBADF;
	ve = ve_from_file(file);
	if (!ve || size < ENV_ENTER_ARGS_SIZE_VER0)
		return -EINVAL;
	err = copy_struct_from_user(&args, sizeof(args), uargs, size);
	if (err)
		return err;
	if (args.flags || args.__reserved)
		return -EINVAL;
	cgroup = fget_raw(args.cgroup_fd);
	if (!cgroup)
		return -EBADF;
	new_fd = get_unused_fd_flags(O_CLOEXEC);
	if (new_fd < 0)
		return new_fd;

	err = ve_exec_copy(&ex, &args.exec);
	if (err) {
		ve_exec_release(&ex);
		put_unused_fd(new_fd);
		return err;
	}
	scoped_guard(mutex, &ve->lock) {
		int state = ve_state(ve);

		if (state == ENV_ST_RUNNING || state == ENV_ST_FROZEN)
			proc = ve_spawn(ve, &ex, cgroup, false);
		else
			proc = ERR_PTR(-ESRCH);
	}
	ve_exec_release(&ex);
	if (!IS_ERR(proc)) {
		out = ve_proc_file_create(proc);
		if (IS_ERR(out))
			proc = ERR_CAST(out);
	}
	if (IS_ERR(proc)) {
		put_unused_fd(new_fd);
		/* A pid namespace whose init is going takes no new process. */
		return PTR_ERR(proc) == -ENOMEM &&
		       ve_state(ve) >= ENV_ST_STOPPING ? -ESRCH : PTR_ERR(proc);
	}
	fd_install(new_fd, out);
	return new_fd;
}
