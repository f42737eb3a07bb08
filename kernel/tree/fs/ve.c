// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kernel/ve needs of the file system core and may not reach from there.
 *
 * The mounts that a VE's init finds: its own /proc, its own pseudo terminals
 * and a /run.  Made in init's context, by its credentials, inside its root,
 * before its program is executed.
 */
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/ve.h>
#include <uapi/linux/mount.h>

#include "internal.h"

static const struct ve_mount {
	const char *where;
	const char *type;
	unsigned long flags;
	const char *data;
} ve_mounts[] = {
	{ "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL },
	{ "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
	  "newinstance,ptmxmode=0666,mode=0620,gid=5" },
	{ "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=16m" },
};

static int ve_mount_one(const struct ve_mount *m, char *page)
{
	struct path path;
	int err;

	err = kern_path(m->where, LOOKUP_DIRECTORY | LOOKUP_NO_SYMLINKS, &path);
	if (err)
		return err;
	strscpy(page, m->data ?: "", PAGE_SIZE);
	err = path_mount(m->type, &path, m->type, m->flags, page);
	path_put(&path);
	return err;
}

/* Make the mounts; the root of the devpts instance goes to @devpts. */
int ve_mount_init(struct path *devpts)
{
	char *page __free(kfree) = NULL;
	int i, err;

	page = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(ve_mounts); i++) {
		err = ve_mount_one(&ve_mounts[i], page);
		if (err)
			return err;
	}
	return kern_path("/dev/pts", LOOKUP_DIRECTORY | LOOKUP_NO_SYMLINKS,
			 devpts);
}

/* A descriptor of the namespace; takes over the reference. */
int ve_ns_fd(struct ns_common *ns)
{
	return open_namespace(ns);
}
