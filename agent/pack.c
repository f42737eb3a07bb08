// SPDX-License-Identifier: Apache-2.0
#include "agent/pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <zlib.h>

#include "agent/libve/clean.h"
#include "agent/pack_impl.h"

#define LEVEL "wb1" /* it is to be quick */
#define LINKS_MAX (1u << 20)

struct link {
	ino_t ino;
	uint64_t number;
};

struct writer {
	gzFile out;
	dev_t dev;
	struct link *links; /* a table by ino, open */
	size_t nlinks, room;
	struct err *e;
	char chunk[PACK_CHUNK];
};

static int put(struct writer *w, const void *data, size_t n)
{
	if (!n || gzwrite(w->out, data, (unsigned)n) == (int)n)
		return 0;
	return err_set(w->e, errno == EDQUOT ? -EDQUOT : -ENOSPC,
		       "the pack cannot be written: %s", strerror(errno));
}

static int broken(struct writer *w, const char *name)
{
	return err_set(w->e, -errno, "'%.64s' in the private tree: %s", name,
		       strerror(errno));
}

/* ---- files with several names ---------------------------------------------- */

static void grow(struct writer *w)
{
	struct link *old = w->links;
	size_t n = w->room;

	w->room = n ? 2 * n : 1024;
	w->links = xcalloc(w->room, sizeof(*w->links));
	for (size_t i = 0; i < n; i++) {
		size_t at = old[i].ino % w->room;

		while (old[i].number && w->links[at].number)
			at = (at + 1) % w->room;
		if (old[i].number)
			w->links[at] = old[i];
	}
	free(old);
}

/* Its number, @known when it was met before; 0: too many of them. */
static uint64_t number_of(struct writer *w, ino_t ino, bool *known)
{
	size_t at;

	if (2 * (w->nlinks + 1) > w->room)
		grow(w);
	at = ino % w->room;
	while (w->links[at].number && w->links[at].ino != ino)
		at = (at + 1) % w->room;
	*known = w->links[at].number != 0;
	if (*known)
		return w->links[at].number;
	if (w->nlinks == LINKS_MAX)
		return 0;
	w->links[at] = (struct link){ ino, ++w->nlinks };
	return w->nlinks;
}

/* ---- one thing ------------------------------------------------------------- */

static int put_head(struct writer *w, const struct pack_record *r,
		    const char *name)
{
	int rc = put(w, r, sizeof(*r));

	return rc < 0 ? rc : put(w, name, r->nname);
}

static int put_attr(struct writer *w, int fd, const char *name)
{
	struct pack_attr a = { .nname = (uint32_t)strlen(name) };
	char *value _free_ = xmalloc(PACK_ATTR_MAX);
	ssize_t n = fgetxattr(fd, name, value, PACK_ATTR_MAX);

	if (n < 0)
		return broken(w, name);
	a.nvalue = (uint32_t)n;
	if (put(w, &a, sizeof(a)) < 0 || put(w, name, a.nname) < 0)
		return w->e->code;
	return put(w, value, (size_t)n);
}

/* Head and attributes of what @fd is. */
static int put_attrs(struct writer *w, int fd, struct pack_record *r,
		     const char *name)
{
	char *list _free_ = xmalloc(PACK_ATTR_MAX);
	ssize_t n = flistxattr(fd, list, PACK_ATTR_MAX);
	int rc;

	if (n < 0 && errno != ENOTSUP)
		return broken(w, name);
	for (char *at = list; n > 0 && at < list + n; at += strlen(at) + 1)
		r->nattrs++;
	rc = put_head(w, r, name);
	for (char *at = list; rc == 0 && n > 0 && at < list + n;
	     at += strlen(at) + 1)
		rc = put_attr(w, fd, at);
	return rc;
}

/* Up to a chunk from @at on, and nothing of the hole behind the data there: it
 * would be written, and take room, when it is unpacked. */
static ssize_t read_data(struct writer *w, int fd, off_t at)
{
	off_t end = lseek(fd, at, SEEK_HOLE);
	size_t n = sizeof(w->chunk);

	if (end < 0)
		return -1;
	if (end - at < (off_t)n)
		n = (size_t)(end - at);
	return pread(fd, w->chunk, n, at);
}

static int put_chunks(struct writer *w, int fd, const char *name)
{
	struct pack_piece p = { 0 };
	off_t at = 0;
	ssize_t n = 0;

	while ((at = lseek(fd, at, SEEK_DATA)) >= 0) {
		n = read_data(w, fd, at);
		if (n <= 0)
			break;
		p.at = (uint64_t)at;
		p.len = (uint32_t)n;
		if (put(w, &p, sizeof(p)) < 0 ||
		    put(w, w->chunk, (size_t)n) < 0)
			return w->e->code;
		at += n;
	}
	if (n < 0 || (at < 0 && errno != ENXIO))
		return broken(w, name);
	return put(w, &(struct pack_piece){ 0 }, sizeof(p));
}

static int put_file(struct writer *w, int dir, struct pack_record *r,
		    const char *name, const struct stat *st)
{
	bool known = false;
	int fd _close_ = -1;
	int rc;

	if (st->st_nlink > 1) {
		r->link = number_of(w, st->st_ino, &known);
		if (!r->link)
			return err_set(w->e, -E2BIG,
				       "too many files with several names");
	}
	if (known) {
		r->kind = PACK_LINK;
		return put_head(w, r, name);
	}
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return broken(w, name);
	r->kind = PACK_FILE;
	r->size = (uint64_t)st->st_size;
	rc = put_attrs(w, fd, r, name);
	return rc < 0 ? rc : put_chunks(w, fd, name);
}

static int put_symlink(struct writer *w, int dir, struct pack_record *r,
		       const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof(target));
	int rc;

	if (n < 0)
		return broken(w, name);
	r->kind = PACK_SYMLINK;
	r->size = (uint64_t)n;
	rc = put_head(w, r, name);
	return rc < 0 ? rc : put(w, target, (size_t)n);
}

static struct pack_record describe(const struct stat *st, const char *name)
{
	return (struct pack_record){
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.major = major(st->st_rdev),
		.minor = minor(st->st_rdev),
		.nname = (uint32_t)strlen(name),
		.mtime = st->st_mtim.tv_sec,
		.mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
	};
}

static int put_below(struct writer *w, int fd, const char *name, int depth);

static int put_entry(struct writer *w, int dir, const char *name, int depth)
{
	struct pack_record r;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return broken(w, name);
	r = describe(&st, name);
	if (S_ISREG(st.st_mode))
		return put_file(w, dir, &r, name, &st);
	if (S_ISLNK(st.st_mode))
		return put_symlink(w, dir, &r, name);
	if (!S_ISDIR(st.st_mode)) {
		r.kind = PACK_NODE;
		return put_head(w, &r, name);
	}
	if (depth == PACK_DEPTH)
		return err_set(w->e, -ELOOP,
			       "the private tree is deeper than %d directories",
			       PACK_DEPTH);
	return put_below(w,
			 openat(dir, name,
				O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW),
			 name, depth + 1);
}

/* A directory with all that is in it; takes @fd. */
static int put_below(struct writer *w, int fd, const char *name, int depth)
{
	struct pack_record r, up = { .kind = PACK_UP };
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;
	struct stat st;
	int rc;

	if (!d || fstat(fd, &st) < 0 || st.st_dev != w->dev) {
		if (d && st.st_dev != w->dev)
			errno = EXDEV;
		rc = broken(w, name);
		if (d)
			closedir(d);
		else
			clean_close(&fd);
		return rc;
	}
	r = describe(&st, name);
	r.kind = PACK_DIR;
	rc = put_attrs(w, fd, &r, name);
	for (errno = 0; rc == 0 && (de = readdir(d)); errno = 0)
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			rc = put_entry(w, fd, de->d_name, depth);
	if (rc == 0 && errno)
		rc = broken(w, name);
	closedir(d);
	return rc < 0 ? rc : put(w, &up, sizeof(up));
}

int pack_write(int dir, int out, struct err *e)
{
	struct writer *w _free_ = xcalloc(1, sizeof(*w));
	struct stat st;
	int r;

	w->e = e;
	w->out = gzdopen(fcntl(out, F_DUPFD_CLOEXEC, 3), LEVEL);
	if (!w->out || fstat(dir, &st) < 0)
		return err_set(e, -EIO, "a pack cannot be begun");
	w->dev = st.st_dev;
	r = put(w, PACK_HEAD, strlen(PACK_HEAD));
	if (r == 0)
		r = put_below(w, openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
			      "", 0);
	if (gzclose(w->out) != Z_OK && r == 0)
		r = err_set(e, -ENOSPC, "the pack cannot be written: %s",
			    strerror(errno));
	free(w->links);
	if (r == 0 && fsync(out) < 0)
		r = err_sys(e, "the pack");
	return r;
}
