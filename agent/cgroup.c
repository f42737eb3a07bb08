// SPDX-License-Identifier: Apache-2.0
#include "agent/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/libve/clean.h"
#include "agent/name.h"

#define PIDS_MAX 4194304 /* more no kernel takes */
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

void cgroup_close(struct cgroup_fds *g)
{
	clean_close(&g->ve);
	clean_close(&g->init);
	clean_close(&g->enter);
	*g = (struct cgroup_fds){ -1, -1, -1 };
}

static int put(int dir, const char *file, const char *text, struct err *e)
{
	int fd _close_ = openat(dir, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t n = strlen(text);

	if (fd < 0)
		return err_sys(e, "control group file %s", file);
	if (write(fd, text, n) != (ssize_t)n)
		return err_sys(e, "writing %s to %s", text, file);
	return 0;
}

static int put_number(int dir, const char *file, uint64_t v, struct err *e)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, v);
	return put(dir, file, text, e);
}

/* A directory below @at, made when missing. */
static int make_dir(int at, const char *name)
{
	if (mkdirat(at, name, 0755) < 0 && errno != EEXIST)
		return -1;
	return openat(at, name, DIR_FLAGS);
}

/* The directory that all VEs' groups stand in, its controllers passed on. */
static int open_root(const char *root, struct err *e)
{
	static const char controllers[] = "+memory +pids +cpu";
	const char *slash = strrchr(root, '/');
	char *parent _free_ = xstrdup(root);
	int above _close_ = -1;
	int fd;

	parent[slash - root] = '\0';
	above = open(*parent ? parent : "/", DIR_FLAGS);
	if (above < 0)
		return err_sys(e, "control group %s", parent);
	fd = make_dir(above, slash + 1);
	if (fd < 0)
		return err_sys(e, "control group %s", root);
	if (put(above, "cgroup.subtree_control", controllers, e) < 0 ||
	    put(fd, "cgroup.subtree_control", controllers, e) < 0) {
		close(fd);
		return -EIO;
	}
	/* what is promised to a VE below counts only if it is promised here */
	put(fd, "memory.low", "max", NULL);
	/* what the kernel does for all, of the weight of one, must not make them wait */
	put(fd, "cpu.weight", "1000", NULL);
	return fd;
}

/* Rows of beancounters that are named the kernel writes here itself. */
int cgroup_limit(const struct cgroup_fds *g, const struct limits *l,
		 struct err *e)
{
	const struct beans *b = &l->beans;
	uint64_t most = bean_is_set(b, BEAN_NUMPROC) ? b->of[BEAN_NUMPROC].limit
						     : l->processes + BEAN_NUMPROC_HELP;

	if (!bean_is_set(b, BEAN_PHYSPAGES) &&
	    put_number(g->ve, "memory.max", l->memory, e) < 0)
		return -EIO;
	if (most > PIDS_MAX ? put(g->ve, "pids.max", "max", e) < 0
			    : put_number(g->ve, "pids.max", most, e) < 0)
		return -EIO;
	if (put_number(g->ve, "cpu.weight", l->cpu_weight, e) < 0)
		return -EIO;
	/* no swap file inside a limit; kernels without swap lack the file */
	if (!bean_is_set(b, BEAN_SWAPPAGES))
		put_number(g->ve, "memory.swap.max", 0, NULL);
	put(g->ve, "memory.oom.group", "0", NULL);
	return 0;
}

int cgroup_io_on(const char *root, const char *path)
{
	char *parent _free_ = xstrdup(root), *line _free_ = NULL;
	int top _close_ = open(root, DIR_FLAGS), above _close_ = -1;
	struct err e = { 0 };
	struct stat st;

	*strrchr(parent, '/') = '\0';
	above = open(*parent ? parent : "/", DIR_FLAGS);
	if (top < 0 || above < 0 || stat(path, &st) < 0)
		return -errno;
	line = xasprintf("%u:%u enable=1", major(st.st_dev), minor(st.st_dev));
	if (put(above, "io.cost.qos", line, &e) < 0 ||
	    put(above, "cgroup.subtree_control", "+io", &e) < 0 ||
	    put(top, "cgroup.subtree_control", "+io", &e) < 0)
		return e.code;
	return 0;
}

int cgroup_io(const struct cgroup_fds *g, uint32_t weight)
{
	struct err e = { 0 };

	put_number(g->ve, "io.weight", weight, &e);
	return e.code;
}

int cgroup_make(const char *root, uint32_t id_first, struct cgroup_fds *g,
		struct err *e)
{
	int top _close_ = open_root(root, e);
	char name[16];

	*g = (struct cgroup_fds){ -1, -1, -1 };
	if (top < 0)
		return top;
	snprintf(name, sizeof(name), "%" PRIu32, id_first);
	g->ve = make_dir(top, name);
	if (g->ve >= 0) {
		g->init = make_dir(g->ve, "init");
		g->enter = make_dir(g->ve, "enter");
	}
	if (g->init < 0 || g->enter < 0) {
		err_sys(e, "control group %s/%s", root, name);
		cgroup_close(g);
		return -EIO;
	}
	return 0;
}

int cgroup_open(const char *root, uint32_t id_first, struct cgroup_fds *g,
		struct err *e)
{
	char *path _free_ = xasprintf("%s/%" PRIu32, root, id_first);

	*g = (struct cgroup_fds){ -1, -1, -1 };
	g->ve = open(path, DIR_FLAGS);
	if (g->ve >= 0) {
		g->init = openat(g->ve, "init", DIR_FLAGS);
		g->enter = openat(g->ve, "enter", DIR_FLAGS);
	}
	if (g->init >= 0 && g->enter >= 0)
		return 0;
	err_sys(e, "control group %s", path);
	cgroup_close(g);
	return -EIO;
}

static int open_ve(const char *root, uint32_t id_first)
{
	char *path _free_ = xasprintf("%s/%" PRIu32, root, id_first);

	return open(path, DIR_FLAGS);
}

static void get(int dir, const char *file, char *out, size_t size)
{
	int fd _close_ = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? 0 : read(fd, out, size - 1);

	out[n > 0 ? n : 0] = '\0';
}

static int open_file(const char *root, uint32_t id_first, const char *file)
{
	char *path _free_ = xasprintf("%s/%" PRIu32 "/%s", root, id_first, file);

	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* Microseconds behind @key, in ms. */
static int64_t read_ms(int fd, const char *key)
{
	char text[128];
	ssize_t n = fd < 0 ? 0 : pread(fd, text, sizeof(text) - 1, 0);
	const char *at;

	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, key);
	return at ? strtoll(at + strlen(key), NULL, 10) / 1000 : 0;
}

int cgroup_cpu_open(const char *root, uint32_t id_first)
{
	return open_file(root, id_first, "cpu.stat");
}

int64_t cgroup_cpu_ms(int fd)
{
	return read_ms(fd, "usage_usec ");
}

/* Its stall information counts that without the controller of disks. */
int cgroup_disk_open(const char *root, uint32_t id_first)
{
	return open_file(root, id_first, "io.pressure");
}

int64_t cgroup_disk_ms(int fd)
{
	return read_ms(fd, "total=");
}

/* What was asked for through the pipe at descriptor 3, one after the other. */
static void reclaim_for_ever(const char *root)
{
	uint32_t id_first;

	while (read(3, &id_first, sizeof(id_first)) == sizeof(id_first)) {
		int dir _close_ = open_ve(root, id_first);
		char size[24];

		get(dir, "memory.swap.max", size, sizeof(size));
		if (strcmp(size, "max\n") != 0)
			continue; /* it is hot again */
		get(dir, "memory.current", size, sizeof(size));
		put(dir, "memory.reclaim", size, NULL);
	}
	_exit(0);
}

/* The process that reclaims, made when it is first asked.  The pipe to it, or -1. */
static int start_reclaim(const char *root)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		/* nothing of priv's stays open for as long as it lives */
		if (dup2(ends[0], 3) < 0 || fcntl(3, F_SETFL, 0) < 0)
			_exit(1);
		close_range(4, ~0u, 0);
		reclaim_for_ever(root);
	}
	close(ends[0]);
	if (pid < 0)
		clean_close(&ends[1]);
	return ends[1];
}

void cgroup_cold(const char *root, uint32_t id_first)
{
	static int line = -1;
	int dir _close_ = open_ve(root, id_first);

	if (dir < 0 || put(dir, "memory.swap.max", "max", NULL) < 0)
		return;
	/* it may take a while, and nobody waits for it; where so many wait that
	 * the pipe is full, what this one has stays until memory is short */
	for (int tries = 2; tries; tries--) {
		if (line < 0)
			line = start_reclaim(root);
		if (line < 0 ||
		    write(line, &id_first, sizeof(id_first)) >= 0 ||
		    errno != EPIPE)
			return;
		clean_close(&line);
	}
}

void cgroup_hot(const char *root, uint32_t id_first, uint64_t swap)
{
	int dir _close_ = open_ve(root, id_first);

	if (dir >= 0)
		put_number(dir, "memory.swap.max", swap, NULL);
}

int cgroup_remove(const char *root, uint32_t id_first)
{
	static const char *const below[] = { "/init", "/enter", "" };
	int r = 0;

	for (size_t i = 0; i < 3; i++) {
		char *path _free_ =
			xasprintf("%s/%" PRIu32 "%s", root, id_first, below[i]);

		if (rmdir(path) < 0 && errno != ENOENT)
			r = -errno;
	}
	return r;
}

void cgroup_sweep(const char *root,
		  bool (*is_used)(const void *arg, uint32_t id_first),
		  const void *arg)
{
	DIR *d = opendir(root);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		char *end;
		unsigned long id = strtoul(de->d_name, &end, 10);

		if (end != de->d_name && !*end && is_slot_id(id) &&
		    !is_used(arg, (uint32_t)id))
			cgroup_remove(root, (uint32_t)id);
	}
	if (d)
		closedir(d);
}
