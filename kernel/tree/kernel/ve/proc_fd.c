// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that were spawned into a VE from outside, and their descriptors.
 *
 * A spawner is not the parent: the process is born of a kernel worker, so that
 * nothing of the caller is in it, and reaped by nobody in particular.  What a
 * parent would learn from wait(2) the descriptor keeps, whoever holds it and
 * however often the holder was restarted meanwhile.
 *
 * poll(2): EPOLLIN when exec failed or the process has exited; EPOLLHUP when
 * it has exited.
 */
#include "ve.h"

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/pid.h>
#include <linux/slab.h>

struct ve_proc *ve_proc_alloc(struct ve_struct *ve, bool is_init)
{
	struct ve_proc *proc;

	proc = kzalloc(sizeof(*proc), GFP_KERNEL_ACCOUNT);
	if (!proc)
		return NULL;
	refcount_set(&proc->ref, 1);
	proc->ve = ve_get(ve);
	proc->is_init = is_init;
	init_waitqueue_head(&proc->wait);
	return proc;
}

static void ve_proc_free(struct rcu_head *rcu)
{
	struct ve_proc *proc = container_of(rcu, struct ve_proc, rcu);

	put_pid(proc->pid);
	kfree(proc);
}

void ve_proc_put(struct ve_proc *proc)
{
	if (!proc || !refcount_dec_and_test(&proc->ref))
		return;
	ve_put(proc->ve);
	call_rcu(&proc->rcu, ve_proc_free);
}

/* The result of exec is known: @error is 0 or a negative errno. */
void ve_proc_execed(struct ve_proc *proc, int error)
{
	spin_lock_irq(&proc->wait.lock);
	proc->exec_error = -error;
	if (!error)
		proc->state = ENV_PROC_RUNNING;
	wake_up_locked_poll(&proc->wait, error ? EPOLLIN : 0);
	spin_unlock_irq(&proc->wait.lock);
}

/*
 * The thread group has ended and was reaped; called by __exit_signal() with
 * tasklist_lock and siglock held.  Consumes the signal_struct's reference.
 */
void ve_proc_exit(struct ve_proc *proc, int status)
{
	struct ve_struct *ve = proc->ve;

	lockdep_assert_irqs_disabled();
	spin_lock(&proc->wait.lock);
	proc->state = ENV_PROC_EXITED;
	proc->exit_status = status;
	wake_up_locked_poll(&proc->wait, EPOLLIN | EPOLLHUP);
	spin_unlock(&proc->wait.lock);

	if (proc->is_init) {
		ve->exit_status = status;
		/* reboot_pid_ns() turns reboot(2) into these ends of init */
		if ((status & 0x7f) == SIGHUP)
			ve->halt = ENV_HALT_RESTART;
		else if ((status & 0x7f) == SIGINT)
			ve->halt = ENV_HALT_HALT;
		ve_unregister(ve);
		ve_set_state(ve, ENV_ST_STOPPED);
		ve_queue_drop(ve);
	}
	ve_proc_put(proc);
}

static int ve_proc_release(struct inode *inode, struct file *file)
{
	ve_proc_put(file->private_data);
	return 0;
}

static __poll_t ve_proc_poll(struct file *file, poll_table *wait)
{
	struct ve_proc *proc = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &proc->wait, wait);
	if (READ_ONCE(proc->exec_error))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(proc->state) == ENV_PROC_EXITED)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	return mask;
}

static const struct file_operations ve_proc_fops = {
	.release	= ve_proc_release,
	.poll		= ve_proc_poll,
	.llseek		= noop_llseek,
};

/*
 * Takes over the reference on @proc, also on error: a process that nobody
 * could ever hear of again is ended.
 */
struct file *ve_proc_file_create(struct ve_proc *proc)
{
	struct file *file;

	file = anon_inode_getfile("[ve-proc]", &ve_proc_fops, proc, O_RDWR);
	if (IS_ERR(file)) {
		kill_pid(proc->pid, SIGKILL, 1);
		ve_proc_put(proc);
	}
	return file;
}

struct ve_proc *ve_proc_from_file(struct file *file)
{
	return file->f_op == &ve_proc_fops ? file->private_data : NULL;
}
