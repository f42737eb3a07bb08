// SPDX-License-Identifier: Apache-2.0
#include "agent/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <zlib.h>

#include "agent/libve/buf.h"
#include "agent/libve/clean.h"
#include "agent/pack_impl.h"
#include "agent/tree.h"

#define SCRATCH ".links" /* beside upper and work: a name each, while we unpack */
#define ATTRS_MAX (1u << 20) /* of a file, together */

struct level {
	int fd;
	struct pack_record r; /* times are set when all is in it */
};

struct reader {
	gzFile in;
	int scratch;
	int depth;
	struct level *levels;
	struct err *e;
	char name[NAME_MAX + 1], data[PACK_CHUNK];
};

static int damaged(struct reader *u)
{
	return err_set(u->e, -EBADMSG, "the pack is damaged");
}

static int get(struct reader *u, void *out, size_t n)
{
	if (n > INT_MAX || gzread(u->in, out, (unsigned)n) != (int)n)
		return damaged(u);
	return 0;
}

static int failed(struct reader *u)
{
	return err_set(u->e, -errno, "'%.64s' out of the pack: %s", u->name,
		       strerror(errno));
}

/* A single name, and no way up. */
static int get_name(struct reader *u, uint32_t n, bool top)
{
	if (top ? n != 0 : n < 1 || n > NAME_MAX)
		return damaged(u);
	if (get(u, u->name, n) < 0)
		return -EBADMSG;
	u->name[n] = '\0';
	if (strlen(u->name) != n || strchr(u->name, '/') ||
	    !strcmp(u->name, ".") || !strcmp(u->name, ".."))
		return damaged(u);
	return 0;
}

/* Attributes as they stand in the pack, to be set when the time has come. */
static int get_attrs(struct reader *u, uint32_t n, struct buf *attrs)
{
	char *value _free_ = xmalloc(PACK_ATTR_MAX);
	char name[PACK_ATTR_NAME + 1];

	while (n--) {
		struct pack_attr a;

		if (get(u, &a, sizeof(a)) < 0 || a.nname > PACK_ATTR_NAME ||
		    a.nvalue > PACK_ATTR_MAX || get(u, name, a.nname) < 0 ||
		    get(u, value, a.nvalue) < 0 || attrs->len > ATTRS_MAX)
			return damaged(u);
		name[a.nname++] = '\0';
		buf_put(attrs, &a, sizeof(a));
		buf_put(attrs, name, a.nname);
		buf_put(attrs, value, a.nvalue);
	}
	return 0;
}

static int set_attrs(struct reader *u, int fd, const struct buf *attrs)
{
	for (size_t at = 0; at < attrs->len;) {
		const char *name = attrs->data + at + sizeof(struct pack_attr);
		struct pack_attr a;

		memcpy(&a, attrs->data + at, sizeof(a));
		if (fsetxattr(fd, name, name + a.nname, a.nvalue, 0) < 0)
			return failed(u);
		at += sizeof(a) + a.nname + a.nvalue;
	}
	return 0;
}

/* Owner and attributes of a directory, before there is anything in it: what
 * inherits from it does so. */
static int begin_directory(struct reader *u, int fd, const struct pack_record *r)
{
	struct buf attrs _buf_ = { 0 };

	if (fchown(fd, r->uid, r->gid) < 0)
		return failed(u);
	if (get_attrs(u, r->nattrs, &attrs) < 0)
		return -EBADMSG;
	return set_attrs(u, fd, &attrs);
}

static int finish(struct reader *u, int fd, const struct pack_record *r)
{
	struct timespec t[2] = { { .tv_sec = r->mtime, .tv_nsec = r->mtime_ns },
				 { .tv_sec = r->mtime,
				   .tv_nsec = r->mtime_ns } };

	return fchmod(fd, r->mode & 07777) < 0 || futimens(fd, t) < 0
		       ? failed(u)
		       : 0;
}

static int enter(struct reader *u, const struct pack_record *r, int dir)
{
	int fd;

	if (u->depth > PACK_DEPTH)
		return damaged(u);
	if (mkdirat(dir, u->name, 0700) < 0)
		return failed(u);
	fd = openat(dir, u->name,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return failed(u);
	u->levels[u->depth++] = (struct level){ fd, *r };
	return begin_directory(u, fd, r);
}

static int leave(struct reader *u)
{
	struct level *l = &u->levels[--u->depth];
	int r = finish(u, l->fd, &l->r);

	close(l->fd);
	return r;
}

/* As far as there is room a part is written, and only the rest says why not. */
static int write_at(struct reader *u, int fd, const struct pack_piece *p)
{
	size_t done = 0;

	while (done < p->len) {
		ssize_t n = pwrite(fd, u->data + done, p->len - done,
				   (off_t)(p->at + done));

		if (n < 0)
			return failed(u);
		done += (size_t)n;
	}
	return 0;
}

static int get_chunks(struct reader *u, int fd, uint64_t size)
{
	struct pack_piece p;

	for (;;) {
		if (get(u, &p, sizeof(p)) < 0)
			return -EBADMSG;
		if (!p.len)
			break;
		if (p.len > sizeof(u->data) || get(u, u->data, p.len) < 0)
			return damaged(u);
		if (write_at(u, fd, &p) < 0)
			return u->e->code;
	}
	return ftruncate(fd, (off_t)size) < 0 ? failed(u) : 0;
}

static void link_name(char out[static 24], uint64_t number)
{
	snprintf(out, 24, "%llu", (unsigned long long)number);
}

/* What is written and who owns it first: a change of either takes capabilities
 * and set-user-ID bits away. */
static int get_file(struct reader *u, const struct pack_record *r, int dir)
{
	int fd _close_ = openat(dir, u->name,
				O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct buf attrs _buf_ = { 0 };
	char number[24];

	if (fd < 0)
		return failed(u);
	if (fchown(fd, r->uid, r->gid) < 0)
		return failed(u);
	if (get_attrs(u, r->nattrs, &attrs) < 0 ||
	    get_chunks(u, fd, r->size) < 0 || set_attrs(u, fd, &attrs) < 0 ||
	    finish(u, fd, r) < 0)
		return u->e->code;
	link_name(number, r->link);
	if (r->link && linkat(dir, u->name, u->scratch, number, 0) < 0)
		return failed(u);
	return 0;
}

static int get_link(struct reader *u, const struct pack_record *r, int dir)
{
	char number[24];

	link_name(number, r->link);
	return linkat(u->scratch, number, dir, u->name, 0) < 0 ? failed(u) : 0;
}

static int own(struct reader *u, const struct pack_record *r, int dir)
{
	struct timespec t[2] = { { .tv_sec = r->mtime, .tv_nsec = r->mtime_ns },
				 { .tv_sec = r->mtime,
				   .tv_nsec = r->mtime_ns } };

	if (fchownat(dir, u->name, r->uid, r->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    utimensat(dir, u->name, t, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(u);
	return 0;
}

static int get_symlink(struct reader *u, const struct pack_record *r, int dir)
{
	char target[PATH_MAX + 1];

	if (r->size > PATH_MAX || get(u, target, r->size) < 0)
		return damaged(u);
	target[r->size] = '\0';
	if (symlinkat(target, dir, u->name) < 0)
		return failed(u);
	return own(u, r, dir);
}

/* The mode is whole with the name: nothing below asks for it by descriptor. */
static int get_node(struct reader *u, const struct pack_record *r, int dir)
{
	mode_t mask = umask(0);
	int rc;

	if (S_ISREG(r->mode) || S_ISDIR(r->mode) || S_ISLNK(r->mode)) {
		umask(mask);
		return damaged(u);
	}
	rc = mknodat(dir, u->name, r->mode, makedev(r->major, r->minor));
	umask(mask);
	return rc < 0 ? failed(u) : own(u, r, dir);
}

/* One record below the directory that stands open; 1 at the end. */
static int take(struct reader *u)
{
	int dir = u->levels[u->depth - 1].fd;
	struct pack_record r;

	if (get(u, &r, sizeof(r)) < 0)
		return -EBADMSG;
	if (r.kind == PACK_UP)
		return leave(u) < 0 ? u->e->code : !u->depth;
	if (get_name(u, r.nname, false) < 0)
		return -EBADMSG;
	switch (r.kind) {
	case PACK_DIR:
		return enter(u, &r, dir);
	case PACK_FILE:
		return get_file(u, &r, dir);
	case PACK_LINK:
		return get_link(u, &r, dir);
	case PACK_SYMLINK:
		return get_symlink(u, &r, dir);
	case PACK_NODE:
		return get_node(u, &r, dir);
	default:
		return damaged(u);
	}
}

/* The head and the tree's own directory, which is there. */
static int begin(struct reader *u, int dir)
{
	char head[sizeof(PACK_HEAD)] = "";
	struct pack_record r;

	if (get(u, head, strlen(PACK_HEAD)) < 0 || strcmp(head, PACK_HEAD) ||
	    get(u, &r, sizeof(r)) < 0 || r.kind != PACK_DIR ||
	    get_name(u, r.nname, true) < 0)
		return damaged(u);
	if (mkdirat(dir, SCRATCH, 0700) < 0)
		return failed(u);
	u->scratch = openat(dir, SCRATCH,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	u->levels[u->depth++] =
		(struct level){ fcntl(dir, F_DUPFD_CLOEXEC, 3), r };
	return u->scratch < 0 ? failed(u) : begin_directory(u, dir, &r);
}

int pack_read(int in, int dir, struct err *e)
{
	struct reader *u _free_ = xcalloc(1, sizeof(*u));
	int r;

	u->e = e;
	u->scratch = -1;
	u->levels = xcalloc(PACK_DEPTH + 2, sizeof(*u->levels));
	u->in = gzdopen(fcntl(in, F_DUPFD_CLOEXEC, 3), "rb");
	r = u->in ? begin(u, dir) : err_set(e, -EIO, "no memory for a pack");
	while (r == 0)
		r = take(u);
	while (u->depth > 0)
		close(u->levels[--u->depth].fd);
	/* a byte more makes zlib check what it has read */
	if (r == 1)
		r = gzread(u->in, u->data, 1) == 0 ? 0 : damaged(u);
	if (u->in)
		gzclose(u->in);
	if (u->scratch >= 0)
		tree_empty(u->scratch);
	if (unlinkat(dir, SCRATCH, AT_REMOVEDIR) < 0 && r == 0)
		r = failed(u);
	free(u->levels);
	return r < 0 ? e->code : 0;
}
