// SPDX-License-Identifier: Apache-2.0
#include "agent/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/libve/clean.h"
#include "agent/pack.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
#define PACKS ".packed"
#define SLACK (1u << 20)

/* The directory of the packs, made when missing. */
static int open_packs(const char *private_dir, struct err *e)
{
	int base _close_ = open(private_dir, DIR_FLAGS);
	int fd;

	if (base < 0)
		return err_set(e, -ENOTDIR, "private trees %s: %s", private_dir,
			       strerror(errno));
	if (mkdirat(base, PACKS, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "%s/" PACKS, private_dir);
	fd = openat(base, PACKS, DIR_FLAGS);
	return fd < 0 ? err_sys(e, "%s/" PACKS, private_dir) : fd;
}

static void name_of(char out[static 24], uint32_t veid, const char *suffix)
{
	snprintf(out, 24, "%" PRIu32 "%s", veid, suffix);
}

bool tree_is_packed(const char *private_dir, uint32_t veid)
{
	int packs _close_ = open_packs(private_dir, NULL);
	struct stat st;
	char name[24];

	name_of(name, veid, "");
	return packs >= 0 && fstatat(packs, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int tree_drop_pack(const char *private_dir, uint32_t veid, struct err *e)
{
	int packs _close_ = open_packs(private_dir, e);
	char name[24];

	if (packs < 0)
		return packs;
	name_of(name, veid, "");
	if ((unlinkat(packs, name, 0) < 0 && errno != ENOENT) ||
	    fsync(packs) < 0)
		return err_sys(e, "the pack of VE %" PRIu32, veid);
	return 0;
}

/* Written whole under another name first. */
static int write_pack(int packs, int dir, uint32_t veid, struct err *e)
{
	char name[24], made[24];
	int out _close_ = -1;
	int r;

	name_of(name, veid, "");
	name_of(made, veid, ".new");
	out = openat(packs, made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		     0600);
	if (out < 0)
		return err_sys(e, "the pack of VE %" PRIu32, veid);
	r = pack_write(dir, out, e);
	if (r == 0 && (renameat(packs, made, packs, name) < 0 ||
		       fsync(packs) < 0))
		r = err_sys(e, "the pack of VE %" PRIu32, veid);
	if (r < 0)
		unlinkat(packs, made, 0);
	return r;
}

int tree_pack(const char *private_dir, uint32_t veid, struct err *e)
{
	int packs _close_ = open_packs(private_dir, e);
	int dir _close_ = -1;
	int r;

	if (packs < 0)
		return packs;
	if (!tree_is_packed(private_dir, veid)) {
		dir = tree_find(private_dir, veid, e);
		if (dir == -ENOENT)
			return 0; /* it never ran: there is nothing to pack */
		r = dir < 0 ? dir : write_pack(packs, dir, veid, e);
		if (r < 0)
			return r;
	}
	return tree_put_away(private_dir, veid, e);
}

/* The start that follows sets the limit itself. */
static uint64_t with_slack(uint64_t disk)
{
	return disk ? disk + disk / 16 + SLACK : 0;
}

int tree_unpack(const char *private_dir, uint32_t veid, uint64_t disk,
		struct err *e)
{
	int packs _close_ = open_packs(private_dir, e);
	int in _close_ = -1, dir _close_ = -1;
	char name[24];
	int r;

	if (packs < 0)
		return packs;
	name_of(name, veid, "");
	in = openat(packs, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (in < 0)
		return errno == ENOENT ? 0
				       : err_sys(e, "the pack of VE %" PRIu32,
						 veid);
	/* what a former life began */
	r = tree_put_away(private_dir, veid, e);
	dir = r < 0 ? r : tree_make(private_dir, veid, with_slack(disk), e);
	if (dir < 0)
		return dir;
	r = pack_read(in, dir, e);
	if (r < 0) {
		tree_put_away(private_dir, veid, NULL);
		return r;
	}
	if (syncfs(dir) < 0)
		return err_sys(e, "the private tree of VE %" PRIu32, veid);
	/* gone for good before anybody writes down that it is unpacked */
	if (unlinkat(packs, name, 0) < 0 || fsync(packs) < 0)
		return err_sys(e, "the pack of VE %" PRIu32, veid);
	return 0;
}
