// SPDX-License-Identifier: GPL-2.0-only
/*
 * A terminal for the node's agent: both ends of a new pty on the VE's own
 * devpts.  The instance was remembered when init's mounts were made, and both
 * ends are opened under the VE root's credentials, so that no path which the
 * VE controls is walked and the slave belongs to the VE's root.  The mount is the
 * one that the VE has, though, and the VE may have mounted something on its ptmx:
 * that is not opened, nor is what is no ptmx.
 */
#include "ve.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/major.h>
#include <linux/namei.h>
#include <linux/tty.h>
#include <linux/devpts_fs.h>	/* needs tty.h first */
#include <uapi/asm-generic/ioctls.h>

static struct file *ve_open_ptmx(const struct path *devpts)
{
	struct path path __free(path_put) = {};
	const struct inode *inode;
	int err;

	err = vfs_path_lookup(devpts->dentry, devpts->mnt, "ptmx",
			      LOOKUP_NO_SYMLINKS | LOOKUP_NO_XDEV, &path);
	if (err)
		return ERR_PTR(err);
	inode = d_backing_inode(path.dentry);
	if (path.mnt != devpts->mnt || !S_ISCHR(inode->i_mode) ||
	    inode->i_rdev != MKDEV(TTYAUX_MAJOR, 2))
		return ERR_PTR(-ENXIO);
	return dentry_open(&path, O_RDWR | O_NOCTTY | O_LARGEFILE,
			   current_cred());
}

/* Unlock the pty, give it a size and open its other end: a descriptor. */
static int ve_open_slave(struct file *master, const struct env_pty *pty)
{
	struct tty_struct *tty =
		((struct tty_file_private *)master->private_data)->tty;
	struct winsize ws = { .ws_col = pty->cols, .ws_row = pty->rows };

	clear_bit(TTY_PTY_LOCK, &tty->flags);
	if (ws.ws_col && ws.ws_row)
		tty->ops->resize(tty, &ws);
	return ptm_open_peer(master, tty, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

int ve_open_pty(struct ve_struct *ve, struct env_pty *pty)
{
	const struct cred *cred, *old;
	struct path devpts __free(path_put) = {};
	struct file *master;
	int fd, slave;

	scoped_guard(mutex, &ve->lock) {
		int state = ve_state(ve);

		if ((state != ENV_ST_RUNNING && state != ENV_ST_FROZEN) ||
		    !ve->devpts.mnt)
			return -ESRCH;
		devpts = ve->devpts;
		path_get(&devpts);
		cred = get_cred(ve->cred);
	}
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		put_cred(cred);
		return fd;
	}
	old = override_creds(cred);
	master = ve_open_ptmx(&devpts);
	slave = IS_ERR(master) ? PTR_ERR(master) : ve_open_slave(master, pty);
	revert_creds(old);
	put_cred(cred);
	if (slave < 0) {
		if (!IS_ERR(master))
			fput(master);
		put_unused_fd(fd);
		return slave;
	}
	fd_install(fd, master);
	pty->master = fd;
	pty->slave = slave;
	return 0;
}
