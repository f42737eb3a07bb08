// SPDX-License-Identifier: Apache-2.0
#include "agent/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* A detached, id-mapped copy of the mount at the directory @dir. */
static int map_layer(int dir, int userns, uint64_t set, struct err *e)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_IDMAP | set,
				.userns_fd = (uint64_t)userns };
	int fd _close_ = (int)syscall(SYS_open_tree, dir, "",
				      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
					      AT_EMPTY_PATH);

	if (fd < 0)
		return err_sys(e, "open_tree");
	if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &a, sizeof(a)) <
	    0)
		return err_sys(e, "id-mapping a layer");
	return take_fd(&fd);
}

static int set_string(int fs, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value,
			    0);
}

/* A layer by its name in @dir: 6.12 takes no descriptors. */
static int set_layer(int fs, const char *key, int dir, const char *name)
{
	return fchdir(dir) < 0 ? -1 : set_string(fs, key, name);
}

/* The kernel's own words about a mount that failed stand in the context. */
static int mount_failed(int fs, struct err *e)
{
	int code = errno;
	char text[160];
	ssize_t n = read(fs, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return err_set(e, -code, "overlay: %s (%s)", strerror(code), text);
}

static int make_overlay(int lower, int private, struct err *e)
{
	int fs _close_ = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
	int mnt _close_ = -1;
	struct statvfs st;

	if (fs < 0)
		return err_sys(e, "overlay");
	if (set_string(fs, "source", "ve") < 0 ||
	    set_layer(fs, "lowerdir", lower, ".") < 0 ||
	    set_layer(fs, "upperdir", private, "upper") < 0 ||
	    set_layer(fs, "workdir", private, "work") < 0 ||
	    /* the template's pages are charged to nobody in particular */
	    syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, "sharedcache", NULL,
		    0) < 0 ||
	    syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return mount_failed(fs, e);
	mnt = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	if (mnt < 0)
		return mount_failed(fs, e);
	/* a work directory that cannot be written gives a read-only mount and
	 * no error */
	if (fstatvfs(mnt, &st) < 0 || (st.f_flag & ST_RDONLY))
		return err_set(e, -EROFS,
			       "the private tree is not writable"
			       " by its owner");
	return take_fd(&mnt);
}

int overlay_mount(int template_fd, int private_fd, int ids, uint32_t id_first,
		  struct err *e)
{
	int lower _close_ = map_layer(template_fd, ids, MOUNT_ATTR_RDONLY, e);
	int private _close_ = -1;
	int r;

	if (lower < 0)
		return lower;
	private = map_layer(private_fd, ids, 0, e);
	if (private < 0)
		return private;
	/* as the VE's root, so that the tree is its own and the file system's
	 * reserve is not */
	setfsgid(id_first);
	setfsuid(id_first);
	r = make_overlay(lower, private, e);
	setfsuid(0);
	setfsgid(0);
	if (chdir("/") < 0)
		log_err("/: %s", strerror(errno));
	/* with them went the signal at the supervisor's death */
	prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	return r;
}
