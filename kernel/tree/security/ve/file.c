// SPDX-License-Identifier: GPL-2.0-only
/* Files that come from elsewhere, and device nodes. */
#include "ve.h"

#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/major.h>

/* A descriptor that was opened outside the VE does not come in by SCM_RIGHTS. */
static int ve_file_receive(struct file *file)
{
	return ve_check_reach(current->ve, cred_ve(file->f_cred));
}

/* The devices a VE may open, if its root directory has the node. */
static bool ve_device_allowed(umode_t mode, dev_t rdev)
{
	if (!S_ISCHR(mode))
		return false;
	switch (MAJOR(rdev)) {
	case MEM_MAJOR:
		switch (MINOR(rdev)) {
		case 3: /* null */
		case 5: /* zero */
		case 7: /* full */
		case 8: /* random */
		case 9: /* urandom */
			return true;
		}
		return false;
	case TTYAUX_MAJOR:
		return MINOR(rdev) == 0 || MINOR(rdev) == 2; /* tty, ptmx */
	}
	return MAJOR(rdev) >= UNIX98_PTY_SLAVE_MAJOR &&
	       MAJOR(rdev) < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT;
}

static int ve_file_open(struct file *file)
{
	const struct inode *inode = file_inode(file);

	if (current_on_node() || file->f_mode & FMODE_PATH)
		return 0;
	if (!S_ISCHR(inode->i_mode) && !S_ISBLK(inode->i_mode))
		return 0;
	return ve_device_allowed(inode->i_mode, inode->i_rdev) ? 0 : -EPERM;
}

/* No new device nodes; the white-out of overlayfs is not one. */
static int ve_inode_mknod(struct inode *dir, struct dentry *dentry,
			  umode_t mode, dev_t dev)
{
	if (!ve_inside() || (!S_ISCHR(mode) && !S_ISBLK(mode)))
		return 0;
	return S_ISCHR(mode) && dev == WHITEOUT_DEV ? 0 : -EPERM;
}

static struct security_hook_list ve_file_hooks[] __ro_after_init = {
	LSM_HOOK_INIT(file_receive, ve_file_receive),
	LSM_HOOK_INIT(file_open, ve_file_open),
	LSM_HOOK_INIT(inode_mknod, ve_inode_mknod),
};

__init void ve_add_file_hooks(void)
{
	security_add_hooks(ve_file_hooks, ARRAY_SIZE(ve_file_hooks), &ve_lsmid);
}
