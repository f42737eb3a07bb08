// SPDX-License-Identifier: GPL-2.0-only
/*
 * VE descriptors.  Whoever holds one may poll and query the VE; what changes
 * the VE asks for CAP_SYS_ADMIN on the node once more.
 *
 * poll(2): EPOLLIN while the state has changed since this descriptor's last
 * ENV_CTL_QUERY, EPOLLHUP from STOPPED on.
 */
#include "ve.h"

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

struct ve_handle {
	struct ve_struct *ve;
	u32 seen;		/* ve->seq at the last query */
};

static int ve_fd_release(struct inode *inode, struct file *file)
{
	struct ve_handle *h = file->private_data;
	struct ve_struct *ve = h->ve;

	if (atomic_dec_and_test(&ve->nr_fds)) {
		/* A held VE without a descriptor can never be started. */
		scoped_guard(mutex, &ve->lock) {
			if (ve_state(ve) == ENV_ST_EMBRYO &&
			    !ve_set_state(ve, ENV_ST_STOPPED))
				ve_queue_drop(ve);
			else if (ve->flags & ENV_CREATE_KILL_ON_CLOSE &&
				 ve->init)
				kill_pid(ve->init->pid, SIGKILL, 1);
		}
	}
	ve_put(ve);
	kfree(h);
	return 0;
}

static __poll_t ve_fd_poll(struct file *file, poll_table *wait)
{
	struct ve_handle *h = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &h->ve->wait, wait);
	if (READ_ONCE(h->ve->seq) != READ_ONCE(h->seen))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (ve_state(h->ve) == ENV_ST_STOPPED)
		mask |= EPOLLHUP;
	return mask;
}

#ifdef CONFIG_PROC_FS
static void ve_fd_show(struct seq_file *m, struct file *file)
{
	struct ve_handle *h = file->private_data;

	seq_printf(m, "veid:\t%u\nstate:\t%d\n", h->ve->veid, ve_state(h->ve));
}
#endif

static const struct file_operations ve_fops = {
	.release	= ve_fd_release,
	.poll		= ve_fd_poll,
	.llseek		= noop_llseek,
#ifdef CONFIG_PROC_FS
	.show_fdinfo	= ve_fd_show,
#endif
};

struct file *ve_file_create(struct ve_struct *ve)
{
	struct ve_handle *h __free(kfree) = NULL;
	struct file *file;

	h = kzalloc(sizeof(*h), GFP_KERNEL_ACCOUNT);
	if (!h)
		return ERR_PTR(-ENOMEM);
	h->ve = ve_get(ve);
	h->seen = READ_ONCE(ve->seq);
	atomic_inc(&ve->nr_fds);
	file = anon_inode_getfile("[ve]", &ve_fops, h, O_RDWR);
	if (IS_ERR(file)) {
		atomic_dec(&ve->nr_fds);
		ve_put(ve);
		return file;
	}
	retain_and_null_ptr(h);
	return file;
}

struct ve_struct *ve_from_file(struct file *file)
{
	if (file->f_op != &ve_fops)
		return NULL;
	return ((struct ve_handle *)file->private_data)->ve;
}

void ve_file_seen(struct file *file)
{
	struct ve_handle *h = file->private_data;

	WRITE_ONCE(h->seen, READ_ONCE(h->ve->seq));
}

int ve_fd_install(struct ve_struct *ve)
{
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = ve_file_create(ve);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}
