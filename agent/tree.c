// SPDX-License-Identifier: Apache-2.0
#include "agent/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/name.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
#define TRASH ".trash"
#define INODE_RATIO 8192 /* bytes of the quota to an inode */
#define OTHER (1u << 31) /* beyond each veid */

/* The headers of Debian 12 lack it. */
#ifndef PRJQUOTA
#define PRJQUOTA 2
#endif

/* Bytes that count for a project. */
static uint64_t used_by(int dir, uint32_t project)
{
	struct dqblk q = { 0 };

	if (syscall(SYS_quotactl_fd, dir, QCMD(Q_GETQUOTA, PRJQUOTA), project,
		    &q) < 0)
		return 0;
	return q.dqb_curspace;
}

/*
 * A tree's project: its VE's number, or that and OTHER.  What was put away counts
 * for its project until it is swept away, which with many files takes its time; so
 * a new tree takes of the two the one that less counts for, and begins empty.
 */
static uint32_t choose_project(int dir, uint32_t veid)
{
	uint32_t other = veid | OTHER;

	if (other == UINT32_MAX) /* is none */
		return veid;
	return used_by(dir, other) < used_by(dir, veid) ? other : veid;
}

/* One that has a project of its VE keeps it. */
static int set_project(int dir, uint32_t veid, uint32_t *project)
{
	struct fsxattr x = { 0 };

	*project = veid;
	if (ioctl(dir, FS_IOC_FSGETXATTR, &x) < 0)
		return -errno;
	*project = (x.fsx_projid & ~OTHER) == veid ? x.fsx_projid
						   : choose_project(dir, veid);
	x.fsx_projid = *project;
	x.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	return ioctl(dir, FS_IOC_FSSETXATTR, &x) < 0 ? -errno : 0;
}

/* A file system without project quota serves too; it is said once. */
static int set_quota(int dir, uint32_t veid, uint64_t disk, struct err *e)
{
	struct dqblk q = { .dqb_bhardlimit = disk / 1024,
			   .dqb_bsoftlimit = disk / 1024,
			   .dqb_ihardlimit = disk / INODE_RATIO,
			   .dqb_isoftlimit = disk / INODE_RATIO,
			   .dqb_valid = QIF_LIMITS };
	static bool said;
	uint32_t project;
	int r = set_project(dir, veid, &project);

	if (r == 0 && syscall(SYS_quotactl_fd, dir, QCMD(Q_SETQUOTA, PRJQUOTA),
			      project, &q) < 0)
		r = -errno;
	if (r == 0)
		return 0;
	if (r == -ENOSPC || r == -EDQUOT)
		return err_set(e, r,
			       "disk full setting the quota of VE %" PRIu32,
			       veid);
	if (!said)
		log_warn("no project quota on the private trees (%s): disk"
			 " limits are not enforced",
			 strerror(-r));
	said = true;
	return 0;
}

static int open_base(const char *private_dir, struct err *e)
{
	int fd = open(private_dir, DIR_FLAGS);

	if (fd >= 0)
		return fd;
	/* -ENOENT would read as a template that is missing */
	return err_set(e, -ENOTDIR, "private trees %s: %s", private_dir,
		       strerror(errno));
}

/* The directory @veid below @base, made when missing, with its quota. */
static int make_dir(int base, uint32_t veid, uint64_t disk, struct err *e)
{
	int dir _close_ = -1;
	char name[16];

	snprintf(name, sizeof(name), "%" PRIu32, veid);
	if (mkdirat(base, name, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "private tree of VE %" PRIu32, veid);
	dir = openat(base, name, DIR_FLAGS);
	if (dir < 0)
		return err_sys(e, "private tree of VE %" PRIu32, veid);
	if (set_quota(dir, veid, disk, e) < 0)
		return e ? e->code : -EDQUOT;
	return take_fd(&dir);
}

int tree_make(const char *private_dir, uint32_t veid, uint64_t disk,
	      struct err *e)
{
	int base _close_ = open_base(private_dir, e);

	return base < 0 ? base : make_dir(base, veid, disk, e);
}

int tree_open(const char *private_dir, uint32_t veid, uint64_t disk,
	      struct err *e)
{
	int base _close_ = open_base(private_dir, e);
	int dir _close_ = base < 0 ? base : make_dir(base, veid, disk, e);

	if (dir < 0)
		return dir;
	if ((mkdirat(dir, "upper", 0755) < 0 && errno != EEXIST) ||
	    (mkdirat(dir, "work", 0700) < 0 && errno != EEXIST))
		return err_sys(e, "private tree of VE %" PRIu32, veid);
	return take_fd(&dir);
}

int tree_find(const char *private_dir, uint32_t veid, struct err *e)
{
	int base _close_ = open_base(private_dir, e);
	char name[16];
	int dir;

	if (base < 0)
		return base;
	snprintf(name, sizeof(name), "%" PRIu32, veid);
	dir = openat(base, name, DIR_FLAGS);
	if (dir >= 0)
		return dir;
	return errno == ENOENT ? -ENOENT
			       : err_sys(e, "private tree of VE %" PRIu32,
					 veid);
}

int tree_limit(const char *private_dir, uint32_t veid, uint64_t disk,
	       struct err *e)
{
	int base _close_ = open_base(private_dir, e);
	int dir _close_ = -1;
	char name[16];

	snprintf(name, sizeof(name), "%" PRIu32, veid);
	dir = base < 0 ? -1 : openat(base, name, DIR_FLAGS);
	if (dir < 0)
		return base < 0 ? base : 0;
	return set_quota(dir, veid, disk, e);
}

int tree_put_away(const char *private_dir, uint32_t veid, struct err *e)
{
	int base _close_ = open_base(private_dir, e);
	char from[16], to[80];
	struct timespec t;

	if (base < 0)
		return base;
	if (mkdirat(base, TRASH, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "%s/%s", private_dir, TRASH);
	clock_gettime(CLOCK_REALTIME, &t);
	snprintf(from, sizeof(from), "%" PRIu32, veid);
	snprintf(to, sizeof(to), "%s/%s.%lld.%ld", TRASH, from,
		 (long long)t.tv_sec, t.tv_nsec);
	if (renameat(base, from, base, to) < 0 && errno != ENOENT)
		return err_sys(e, "private tree of VE %" PRIu32, veid);
	/* a former life may have come as far as to here */
	if (fsync(base) < 0)
		return err_sys(e, "private trees %s", private_dir);
	return 0;
}

int tree_erase(const char *private_dir, uint32_t veid, struct err *e)
{
	int r = tree_drop_pack(private_dir, veid, e);

	return r < 0 ? r : tree_put_away(private_dir, veid, e);
}

/* Depth is bounded by descending with one descriptor at a time only as far as
 * the limit; a tree that is deeper is flattened: its rest moves up. */
#define DEPTH_MAX 64

static int empty(int dir, int top, dev_t dev, int depth, unsigned *moved);

static int drop_directory(int dir, int top, const char *name, dev_t dev,
			  int depth, unsigned *moved)
{
	int sub;

	if (depth >= DEPTH_MAX) {
		char flat[32];

		snprintf(flat, sizeof(flat), ".deep.%u", (*moved)++);
		return renameat(dir, name, top, flat) < 0 ? -errno : 0;
	}
	sub = openat(dir, name, DIR_FLAGS);
	if (sub < 0)
		return -errno;
	empty(sub, top, dev, depth + 1, moved);
	return unlinkat(dir, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

/* Delete below @dir, which is closed. */
static int empty(int dir, int top, dev_t dev, int depth, unsigned *moved)
{
	DIR *d = fdopendir(dir);
	struct dirent *de;
	struct stat st;
	int r = 0;

	if (!d) {
		close(dir);
		return -ENOMEM;
	}
	if (fstat(dir, &st) < 0 || st.st_dev != dev) {
		closedir(d);
		return -EXDEV;
	}
	while ((de = readdir(d))) {
		int one = 0;

		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		if (unlinkat(dir, de->d_name, 0) < 0)
			one = errno == EISDIR || errno == EPERM
				      ? drop_directory(dir, top, de->d_name,
						       dev, depth, moved)
				      : -errno;
		r = one < 0 ? one : r;
	}
	closedir(d);
	return r;
}

int tree_empty(int dir)
{
	unsigned moved = 0, before;
	struct stat st;
	int r;

	if (fstat(dir, &st) < 0) {
		close(dir);
		return -EIO;
	}
	/* again as long as deep parts were moved up */
	do {
		before = moved;
		r = empty(dup(dir), dir, st.st_dev, 0, &moved);
		lseek(dir, 0, SEEK_SET);
	} while (moved != before);
	close(dir);
	return r;
}

int tree_sweep(const char *private_dir)
{
	int base _close_ = open(private_dir, DIR_FLAGS);
	int trash _close_ = base < 0 ? -1 : openat(base, TRASH, DIR_FLAGS);
	DIR *d = trash < 0 ? NULL : fdopendir(dup(trash));
	struct dirent *de;
	bool any = false;
	pid_t pid;

	while (d && (de = readdir(d)))
		any |= strcmp(de->d_name, ".") && strcmp(de->d_name, "..");
	if (d)
		closedir(d);
	if (!any)
		return 0;
	pid = fork();
	if (pid == 0) {
		if (nice(10) < 0)
			errno = 0;
		/* nothing of priv's stays open for as long as this takes */
		if (dup2(trash, 3) < 0)
			_exit(1);
		close_range(4, ~0u, 0);
		lseek(3, 0, SEEK_SET);
		_exit(tree_empty(3) < 0);
	}
	return pid < 0 ? 0 : pid;
}

int tree_template(const char *template_dir, const char *name, struct err *e)
{
	int base _close_ = open(template_dir, DIR_FLAGS);
	int fd = base < 0 ? -1 : openat(base, name, DIR_FLAGS);

	if (fd < 0)
		return err_set(e, -ENOENT, "there is no template '%s' in %s",
			       name, template_dir);
	return fd;
}

static void read_word(int dir, const char *name, const char *suffix, char *out,
		      size_t size)
{
	char *file _free_ = xasprintf("%s%s", name, suffix);
	int fd _close_ = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? 0 : read(fd, out, size - 1);

	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, " \t\r\n")] = '\0';
}

uint32_t tree_templates(const char *template_dir, struct msg_template *out)
{
	DIR *d = opendir(template_dir);
	struct dirent *de;
	uint32_t n = 0;

	while (d && n < MSG_TEMPLATES && (de = readdir(d))) {
		struct msg_template *t = &out[n];
		struct stat st;
		char size[24];

		if (!is_name(de->d_name) ||
		    fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) <
			    0 ||
		    !S_ISDIR(st.st_mode))
			continue;
		*t = (struct msg_template){ 0 };
		strcpy(t->name, de->d_name);
		read_word(dirfd(d), t->name, ".digest", t->digest,
			  sizeof(t->digest));
		read_word(dirfd(d), t->name, ".bytes", size, sizeof(size));
		t->bytes = strtoull(size, NULL, 10);
		n++;
	}
	if (d)
		closedir(d);
	return n;
}
