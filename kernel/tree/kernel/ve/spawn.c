// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spawning a process into a VE.
 *
 * The process is copied from a kernel worker, not from the caller: no memory,
 * descriptor, directory, credential, limit, signal, seccomp filter, scheduling
 * attribute or keyring of the caller exists in it at any instant.  Already
 * copy_process() gives it the VE's credentials, root directory and namespaces,
 * so that it is a task of the VE from the moment that anybody can see it.
 *
 * Its parent is kthreadd, which reaps at once; struct ve_proc keeps the status.
 */
#include "ve.h"

#include <linux/binfmts.h>
#include <linux/cgroup.h>
#include <linux/completion.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/memcontrol.h>
#include <linux/nsproxy.h>
#include <linux/namei.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/tty.h>
#include <uapi/asm-generic/ioctls.h>

struct ve_spawn_result {
	struct completion created;
	int error;
};

struct ve_spawn {
	struct work_struct	work;
	struct ve_spawn_result	*result;  /* on the caller's stack, until created */
	struct ve_struct	*ve;	  /* counted */
	struct ve_proc		*proc;	  /* counted */
	const struct cred	*cred;	  /* counted */
	struct nsproxy		*nsproxy; /* counted */
	struct path		root;	  /* counted */
	struct file		*cgroup;  /* counted */
	struct ve_exec		exec;
#ifdef CONFIG_FAULT_INJECTION
	unsigned int		fail_nth; /* the caller's: faults follow the work */
#endif
};

static void ve_spawn_free(struct ve_spawn *sp)
{
	if (!sp)
		return;
	ve_exec_release(&sp->exec);
	if (sp->cgroup)
		fput(sp->cgroup);
	path_put(&sp->root);
	if (sp->nsproxy)
		put_nsproxy(sp->nsproxy);
	if (sp->cred)
		put_cred(sp->cred);
	ve_proc_put(sp->proc);
	if (sp->ve)
		ve_put(sp->ve);
	kfree(sp);
}
DEFINE_FREE(ve_spawn, struct ve_spawn *, if (_T) ve_spawn_free(_T))

/* ---- what copy_process() asks for --------------------------------------- */

struct ve_struct *ve_spawn_ve(const struct ve_spawn *sp)
{
	return sp->ve;
}

struct file *ve_spawn_cgroup(const struct ve_spawn *sp)
{
	return get_file(sp->cgroup);
}

void ve_spawn_creds(struct task_struct *p, const struct ve_spawn *sp)
{
#ifdef CONFIG_KEYS_REQUEST_CACHE
	p->cached_requested_key = NULL;
#endif
	p->cred = p->real_cred = get_cred_many(sp->cred, 2);
	inc_rlimit_ucounts(task_ucounts(p), UCOUNT_RLIMIT_NPROC, 1);
}

void ve_spawn_fs(struct task_struct *p, const struct ve_spawn *sp)
{
	set_fs_root(p->fs, &sp->root);
	set_fs_pwd(p->fs, &sp->root);
	/* The worker's is what the node's init has set for itself. */
	p->fs->umask = 0022;
}

void ve_spawn_namespaces(struct task_struct *p, const struct ve_spawn *sp)
{
	get_nsproxy(sp->nsproxy);
	p->nsproxy = sp->nsproxy;
}

/* ---- in the new process ------------------------------------------------- */

static int ve_install_fds(const struct ve_exec *ex)
{
	int i, err;

	for (i = 0; i < ex->nr_fds; i++) {
		err = replace_fd(ex->dst[i], ex->files[i], 0);
		if (err < 0)
			return err;
	}
	return 0;
}

static int ve_enter_cwd(const char *cwd)
{
	struct path path __free(path_put) = {};
	int err;

	err = kern_path(cwd, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);
	if (err)
		return err;
	err = path_permission(&path, MAY_EXEC | MAY_CHDIR);
	if (!err)
		set_fs_pwd(current->fs, &path);
	return err;
}

static int ve_take_ctty(void)
{
	struct file *tty __free(fput) = fget(0);

	return tty ? vfs_ioctl(tty, TIOCSCTTY, 0) : -EBADF;
}

static int ve_spawn_prepare(struct ve_spawn *sp)
{
	const struct ve_exec *ex = &sp->exec;
	int err;

	ksys_setsid();
	if (sp->proc->is_init) {
		err = ve_mount_init(&sp->ve->devpts);
		if (err)
			return err;
	}
	err = ve_install_fds(ex);
	if (!err && ex->cwd)
		err = ve_enter_cwd(ex->cwd);
	if (!err && ex->flags & ENV_EXEC_CTTY)
		err = ve_take_ctty();
	return err;
}

static void ve_faults_follow(struct ve_spawn *sp)
{
#ifdef CONFIG_FAULT_INJECTION
	current->fail_nth = sp->fail_nth;
#endif
}

/* What is left goes back to a caller that waits for the exec. */
static void ve_faults_return(struct ve_spawn *sp)
{
#ifdef CONFIG_FAULT_INJECTION
	sp->proc->fail_nth = current->fail_nth;
	current->fail_nth = 0;
#endif
}

/*
 * The VE pays for what is done on its behalf, not the node; of a process also
 * what it takes before it has an address space, which is when it would be asked.
 */
static struct mem_cgroup *ve_payer(struct ve_spawn *sp)
{
	return mem_cgroup_from_css(cgroup_get_e_css(sp->ve->acct,
						    &memory_cgrp_subsys));
}

static int ve_spawn_child(void *arg)
{
	struct ve_spawn *sp = arg;
	struct mem_cgroup *payer = ve_payer(sp);
	int err;

	ve_faults_follow(sp);
	set_active_memcg(payer);

	spin_lock_irq(&current->sighand->siglock);
	flush_signal_handlers(current, 1);
	spin_unlock_irq(&current->sighand->siglock);
	set_user_nice(current, 0);

	err = ve_spawn_prepare(sp);
	if (!err)
		err = kernel_execve(sp->exec.path, sp->exec.argv,
				    sp->exec.envp);
	set_active_memcg(NULL);
	mem_cgroup_put(payer);
	ve_faults_return(sp);
	ve_proc_execed(sp->proc, err);
	ve_spawn_free(sp);
	if (err)
		do_exit(127 << 8);
	return 0;
}

/* ---- in the worker ------------------------------------------------------ */

static void ve_faults_begin(struct ve_spawn *sp)
{
#ifdef CONFIG_FAULT_INJECTION
	current->fail_nth = sp->fail_nth;
#endif
}

static void ve_faults_end(struct ve_spawn *sp)
{
#ifdef CONFIG_FAULT_INJECTION
	sp->fail_nth = current->fail_nth;
	current->fail_nth = 0;
#endif
}

static void ve_spawn_work(struct work_struct *work)
{
	struct ve_spawn *sp = container_of(work, struct ve_spawn, work);
	struct ve_spawn_result *result = sp->result;
	struct kernel_clone_args args = {
		.flags		= CLONE_VM | CLONE_UNTRACED | CLONE_PARENT |
				  CLONE_INTO_CGROUP,
		.exit_signal	= SIGCHLD,
		.fn		= ve_spawn_child,
		.fn_arg		= sp,
		.ve_spawn	= sp,
	};
	struct mem_cgroup *payer = ve_payer(sp);
	struct task_struct *p;

	/* The cgroup namespace begins where init is born. */
	if (sp->proc->is_init)
		args.flags |= CLONE_NEWCGROUP;

	set_active_memcg(payer);
	ve_faults_begin(sp);
	p = copy_process(NULL, 0, NUMA_NO_NODE, &args);
	ve_faults_end(sp);
	set_active_memcg(NULL);
	mem_cgroup_put(payer);
	if (IS_ERR(p)) {
		result->error = PTR_ERR(p);
	} else {
		sp->proc->pid = get_task_pid(p, PIDTYPE_PID);
		refcount_inc(&sp->proc->ref);
		p->signal->ve_proc = sp->proc;
		wake_up_new_task(p); /* from here on it owns @sp */
	}
	complete(&result->created);
}

/* ---- in the caller ------------------------------------------------------ */

/* The VE root's credentials, for another user inside. */
static const struct cred *ve_cred_for(struct ve_struct *ve, u32 uid, u32 gid)
{
	kuid_t kuid = make_kuid(ve->user_ns, uid);
	kgid_t kgid = make_kgid(ve->user_ns, gid);
	const struct cred *old;
	struct user_struct *user;
	struct cred *new;
	int err;

	if (!uid && !gid)
		return get_cred(ve->cred);
	if (!uid_valid(kuid) || !gid_valid(kgid))
		return ERR_PTR(-EINVAL);

	old = override_creds(ve->cred);
	new = prepare_creds();
	revert_creds(old);
	if (!new)
		return ERR_PTR(-ENOMEM);
	new->uid = new->euid = new->suid = new->fsuid = kuid;
	new->gid = new->egid = new->sgid = new->fsgid = kgid;
	user = alloc_uid(kuid);
	if (!user) {
		put_cred(new);
		return ERR_PTR(-ENOMEM);
	}
	free_uid(new->user);
	new->user = user;
	err = set_cred_ucounts(new);
	if (err) {
		put_cred(new);
		return ERR_PTR(err);
	}
	if (uid) {
		cap_clear(new->cap_permitted);
		cap_clear(new->cap_effective);
	}
	return new;
}

struct ve_proc *ve_spawn(struct ve_struct *ve, struct ve_exec *ex,
			 struct file *cgroup, bool is_init)
{
	struct ve_spawn *sp __free(ve_spawn) = NULL;
	struct ve_spawn_result result = {};
	struct ve_proc *proc;

	lockdep_assert_held(&ve->lock);
	sp = kzalloc(sizeof(*sp), GFP_KERNEL_ACCOUNT);
	if (!sp) {
		ve_exec_release(ex);
		return ERR_PTR(-ENOMEM);
	}
	sp->exec = *ex;
	memset(ex, 0, sizeof(*ex));
	sp->ve = ve_get(ve);
	sp->cgroup = get_file(cgroup);
	get_nsproxy(ve->nsproxy);
	sp->nsproxy = ve->nsproxy;
	sp->root = ve->root;
	path_get(&sp->root);
	sp->cred = ve_cred_for(ve, sp->exec.uid, sp->exec.gid);
	if (IS_ERR(sp->cred)) {
		int err = PTR_ERR(sp->cred);

		sp->cred = NULL;
		return ERR_PTR(err);
	}
	proc = ve_proc_alloc(ve, is_init);
	if (!proc)
		return ERR_PTR(-ENOMEM);
	sp->proc = proc;
	refcount_inc(&proc->ref);
	if (is_init) {
		refcount_inc(&proc->ref);
		WRITE_ONCE(ve->init, proc);
	}
#ifdef CONFIG_FAULT_INJECTION
	sp->fail_nth = current->fail_nth;
#endif
	init_completion(&result.created);
	sp->result = &result;
	INIT_WORK(&sp->work, ve_spawn_work);
	queue_work(system_unbound_wq, &sp->work);
	wait_for_completion(&result.created);

	if (result.error) {
#ifdef CONFIG_FAULT_INJECTION
		current->fail_nth = sp->fail_nth;
#endif
		if (is_init) {
			WRITE_ONCE(ve->init, NULL);
			ve_proc_put(proc);
		}
		ve_proc_put(proc);
		return ERR_PTR(result.error);
	}
	retain_and_null_ptr(sp);
	return proc;
}
