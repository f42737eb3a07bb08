// SPDX-License-Identifier: GPL-2.0-only
/* Files that come from elsewhere, device nodes and mounts. */
#include "ve.h"

#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/major.h>
#include <linux/miscdevice.h>
#include <uapi/linux/mount.h>

/* A descriptor that was opened outside the VE does not come in by SCM_RIGHTS. */
static int ve_file_receive(struct file *file)
{
	if (!ve_guard(receive))
		return 0;
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
	case MISC_MAJOR:
		return (MINOR(rdev) == TUN_MINOR && ve_has(ENV_FEAT_TUN)) ||
		       (MINOR(rdev) == FUSE_MINOR && ve_has(ENV_FEAT_FUSE));
	}
	return MAJOR(rdev) >= UNIX98_PTY_SLAVE_MAJOR &&
	       MAJOR(rdev) < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT;
}

static noinline int ve_device_open(const struct file *file)
{
	const struct inode *inode = file_inode(file);

	if (file->f_mode & FMODE_PATH || !ve_guard(device) ||
	    ve_device_allowed(inode->i_mode, inode->i_rdev))
		return 0;
	ve_alarm("opening device %u:%u refused", imajor(inode), iminor(inode));
	return -EPERM;
}

static int ve_file_open(struct file *file)
{
	umode_t mode;

	if (current_on_node())
		return 0;
	mode = file_inode(file)->i_mode;
	return S_ISCHR(mode) || S_ISBLK(mode) ? ve_device_open(file) : 0;
}

/* Kinds of file system that a VE may mount, and the feature that opens one. */
static const struct {
	const char *type;
	u64 feature;
} ve_mount_types[] = {
	{ "proc", 0 },		      { "tmpfs", 0 },
	{ "devpts", 0 },	      { "mqueue", 0 },
	{ "sysfs", ENV_FEAT_NESTING }, { "cgroup2", ENV_FEAT_NESTING },
	{ "overlay", ENV_FEAT_NESTING }, { "fuse", ENV_FEAT_FUSE },
};

static int ve_check_mount(const char *type)
{
	size_t len = strcspn(type, "."); /* fuse.sshfs */
	int i;

	for (i = 0; i < ARRAY_SIZE(ve_mount_types); i++) {
		if (strlen(ve_mount_types[i].type) != len ||
		    strncmp(ve_mount_types[i].type, type, len))
			continue;
		return !ve_mount_types[i].feature ||
		       ve_has(ve_mount_types[i].feature) ? 0 : -EPERM;
	}
	return -EPERM;
}

static int ve_sb_mount(const char *dev_name, const struct path *path,
		       const char *type, unsigned long flags, void *data)
{
	if (current_on_node() || !ve_guard(mount))
		return 0;
	/* Those of what is mounted already make no new kind. */
	if (flags & (MS_REMOUNT | MS_BIND | MS_MOVE | MS_SHARED | MS_PRIVATE |
		     MS_SLAVE | MS_UNBINDABLE))
		return 0;
	return type ? ve_check_mount(type) : -EPERM;
}

/* By mount(2) once more, and by fsconfig(2), which does not ask above. */
static int ve_sb_kern_mount(const struct super_block *sb)
{
	if (current_on_node() || !ve_guard(mount))
		return 0;
	return ve_check_mount(sb->s_type->name);
}

static struct security_hook_list ve_file_hooks[] __ro_after_init = {
	LSM_HOOK_INIT(file_receive, ve_file_receive),
	LSM_HOOK_INIT(file_open, ve_file_open),
	LSM_HOOK_INIT(sb_mount, ve_sb_mount),
	LSM_HOOK_INIT(sb_kern_mount, ve_sb_kern_mount),
};

__init void ve_add_file_hooks(void)
{
	security_add_hooks(ve_file_hooks, ARRAY_SIZE(ve_file_hooks), &ve_lsmid);
}
