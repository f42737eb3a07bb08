// SPDX-License-Identifier: GPL-2.0-only
#include "envlib.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/mount.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/securebits.h>
#include <unistd.h>

#define CGROUP "/sys/fs/cgroup/ve"
#define PRIVATE "/var/lib/ve/private"
#define ID_BASE 1000000u
#define ID_COUNT 65536u

void die(const char *fmt, ...)
{
	int e = errno;
	va_list ap;

	fflush(stdout);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, ": %s\n", strerror(e));
	exit(1);
}

int env_create(const struct env_create_args *args, size_t size)
{
	return (int)syscall(__NR_env_create, args, size);
}

int env_enter(int fd, const struct env_enter_args *args, size_t size)
{
	return (int)syscall(__NR_env_enter, fd, args, size);
}

int env_ctl(int fd, unsigned int cmd, void *arg, size_t size)
{
	return (int)syscall(__NR_env_ctl, fd, cmd, arg, size);
}

void env_require(void)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");

	setlinebuf(stdout);
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "envID:", 6)) {
			fclose(f);
			return;
		}
	}
	puts("1..0 # SKIP no envID here: this runs in a guest with our kernel");
	exit(77);
}

int env_idmap_ns(unsigned int first)
{
	char path[64], map[64];
	int p[2], fd, pid;
	char c;

	if (pipe(p))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		if (unshare(CLONE_NEWUSER))
			_exit(1);
		if (write(p[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	if (read(p[0], &c, 1) != 1)
		die("user namespace");
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%cid_map", pid, "ug"[i]);
		fd = open(path, O_WRONLY);
		snprintf(map, sizeof(map), "0 %u %u", first, ID_COUNT);
		if (fd < 0 || write(fd, map, strlen(map)) < 0)
			die("%s", path);
		close(fd);
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("%s", path);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(p[0]);
	close(p[1]);
	return fd;
}

int env_idmapped(const char *dir, int userns)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP,
				   .userns_fd = (uint64_t)userns };
	int fd = (int)syscall(SYS_open_tree, AT_FDCWD, dir,
			      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0)
		die("open_tree %s", dir);
	if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr,
		    sizeof(attr)))
		die("idmap of %s", dir);
	return fd;
}

/* A path in @dir: shorter than one by way of /proc, for the kernel too. */
static void fsconf(int fs, const char *key, int dir, const char *path)
{
	if (fchdir(dir) || syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, path, 0))
		die("overlay %s=%s", key, path);
}

static void become(unsigned int id)
{
	setfsgid(id);
	setfsuid(id);
}

int env_mount_root(const char *templ, const char *dir, unsigned int id_first,
		   int userns)
{
	int lower, upper, fs, mnt;
	char path[256];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir,
			 i ? "work" : "upper");
		if (mkdir(path, 0755) && errno != EEXIST)
			die("mkdir %s", path);
	}
	lower = env_idmapped(templ, userns);
	upper = env_idmapped(dir, userns);

	/* The mounter's ids are the VE root's, see kernel.md: a mounter that
	 * the map does not know gets a read-only overlay. */
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP))
		die("securebits");
	become(id_first);
	fs = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
	if (fs < 0)
		die("fsopen overlay");
	fsconf(fs, "lowerdir+", lower, ".");
	fsconf(fs, "upperdir", upper, "upper");
	fsconf(fs, "workdir", upper, "work");
	if (chdir("/"))
		die("/");
	if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, "sharedcache", NULL, 0))
		die("overlay sharedcache");
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		die("overlay");
	mnt = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	if (mnt < 0)
		die("fsmount");
	become(0);
	prctl(PR_SET_SECUREBITS, 0);
	close(fs);
	close(lower);
	close(upper);
	return mnt;
}

static int cgroup_dir(const char *fmt, unsigned int veid)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), fmt, veid);
	if (mkdir(path, 0755) && errno != EEXIST)
		die("mkdir %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die("%s", path);
	return fd;
}

static void make_dirs(const char *path)
{
	char part[256];

	snprintf(part, sizeof(part), "%s/", path);
	for (char *p = strchr(part + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		mkdir(part, 0755);
		*p = '/';
	}
}

static char *no_env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:"
			  "/usr/bin:/sbin:/bin", "HOME=/root", "TERM=linux",
			  NULL };

void env_put(const struct env_ve *ve, const char *file, const char *as)
{
	char to[512];
	int in, out;

	snprintf(to, sizeof(to), "%s/upper", ve->private);
	mkdir(to, 0755);
	snprintf(to, sizeof(to), "%s/upper/root", ve->private);
	mkdir(to, 0700);
	snprintf(to, sizeof(to), "%s/upper/root/%s", ve->private, as);
	in = open(file, O_RDONLY);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0755);
	if (in < 0 || out < 0)
		die("put %s", file);
	while (sendfile(out, in, NULL, 1 << 20) > 0)
		;
	close(in);
	close(out);
}

static void fill_exec(struct env_exec *ex, char *const argv[])
{
	*ex = (struct env_exec){
		.path = (uintptr_t)argv[0],
		.argv = (uintptr_t)argv,
		.envp = (uintptr_t)no_env,
	};
}

void env_prepare(struct env_ve *ve, envid_t veid, const char *templ,
		 struct env_create_args *args, char *const argv[])
{
	unsigned int first = ID_BASE + (veid % 20000) * ID_COUNT;
	int userns = env_idmap_ns(first);

	*ve = (struct env_ve){ .veid = veid, .fd = -1 };
	snprintf(ve->private, sizeof(ve->private), PRIVATE "/%u", veid);
	make_dirs(CGROUP);
	make_dirs(ve->private);
	ve->acct = cgroup_dir(CGROUP "/%u", veid);
	ve->init = cgroup_dir(CGROUP "/%u/init", veid);
	ve->enter = cgroup_dir(CGROUP "/%u/enter", veid);
	*args = (struct env_create_args){
		.veid = veid,
		.id_first = first,
		.id_count = ID_COUNT,
		.root_fd = env_mount_root(templ, ve->private, first, userns),
		.cgroup_fd = ve->init,
		.acct_cgroup_fd = ve->acct,
	};
	fill_exec(&args->init, argv);
	close(userns);
}

void env_start(struct env_ve *ve, envid_t veid, const char *templ,
	       char *const argv[])
{
	struct env_create_args args;

	env_prepare(ve, veid, templ, &args, argv);
	ve->fd = env_create(&args, sizeof(args));
	if (ve->fd < 0)
		die("env_create %u", veid);
	close(args.root_fd);
}

int env_run_with(const struct env_ve *ve, char *const argv[], int in, int out)
{
	const struct env_fdmap fds[] = { { in, 0 }, { out, 1 }, { out == 1 ? 2 : out, 2 } };
	struct env_enter_args args = { .cgroup_fd = ve->enter };

	fill_exec(&args.exec, argv);
	args.exec.cwd = (uintptr_t)"/root";
	args.exec.fds = (uintptr_t)fds;
	args.exec.nr_fds = 3;
	return env_enter(ve->fd, &args, sizeof(args));
}

int env_run(const struct env_ve *ve, char *const argv[])
{
	return env_run_with(ve, argv, 0, 1);
}

int env_sh(const struct env_ve *ve, const char *script, char *out, size_t size)
{
	char *argv[] = { "/bin/sh", "-c", (char *)script, NULL };
	size_t n = 0;
	ssize_t got;
	int p[2], fd, status;

	if (pipe2(p, O_CLOEXEC))
		die("pipe");
	fd = env_run_with(ve, argv, 0, p[1]);
	close(p[1]);
	if (fd < 0)
		die("env_enter");
	while (n < size - 1 && (got = read(p[0], out + n, size - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	status = env_wait(fd);
	close(fd);
	close(p[0]);
	return status;
}

void env_bound(const struct env_ve *ve, int resource, uint64_t bound)
{
	struct env_ublimit l = { .resource = (uint32_t)resource,
				 .barrier = bound, .limit = bound };
	struct env_ublimits arg = { .limits = (uintptr_t)&l, .nr = 1 };

	if (env_ctl(ve->fd, ENV_CTL_UB_SET, &arg, sizeof(arg)))
		die("bound %llu of %d", (unsigned long long)bound, resource);
}

void env_settle(const struct env_ve *ve)
{
	char out[256];

	env_sh(ve, "until grep -q /dev/shm /proc/self/mounts && ! pidof rc &&"
	       " grep -q '^State:.S' /proc/1/status; do sleep 0.1; done",
	       out, sizeof(out));
}

unsigned int env_listed(void)
{
	struct env_list_entry e[64];
	struct env_list l = { .entries = (uintptr_t)e, .nr = 64 };

	if (env_ctl(-1, ENV_CTL_LIST, &l, sizeof(l)))
		die("list");
	return l.nr;
}

int env_poll(int fd, int events, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = (short)events };

	return poll(&p, 1, timeout_ms) > 0 ? p.revents : 0;
}

int env_wait(int fd)
{
	struct env_proc_info info;

	for (;;) {
		if (env_ctl(fd, ENV_CTL_QUERY, &info, sizeof(info)))
			die("query of a process");
		if (info.exec_error)
			return -(int)info.exec_error;
		if (info.state == ENV_PROC_EXITED)
			return (int)info.exit_status;
		if (!env_poll(fd, POLLIN, 600000))
			die("a process did not end in ten minutes");
	}
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void env_clean(struct env_ve *ve)
{
	char path[128];

	close(ve->init);
	close(ve->enter);
	close(ve->acct);
	snprintf(path, sizeof(path), CGROUP "/%u/init", ve->veid);
	rmdir(path);
	snprintf(path, sizeof(path), CGROUP "/%u/enter", ve->veid);
	rmdir(path);
	snprintf(path, sizeof(path), CGROUP "/%u", ve->veid);
	if (rmdir(path))
		die("rmdir %s", path);
	nftw(ve->private, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void env_lend(const struct env_ve *ve, int family, const char *text)
{
	struct env_ip ip = { .family = (unsigned short)family, .epoch = 1 };

	if (inet_pton(family, text, ip.addr) != 1 ||
	    env_ctl(ve->fd, ENV_CTL_IP_ADD, &ip, sizeof(ip)))
		die("lending %s", text);
}

void env_destroy(struct env_ve *ve)
{
	int left = 1000;

	env_ctl(ve->fd, ENV_CTL_KILL, NULL, 0);
	while (!(env_poll(ve->fd, POLLIN, 10000) & POLLHUP)) {
		struct env_info info;

		if (env_ctl(ve->fd, ENV_CTL_QUERY, &info, sizeof(info)) ||
		    !left--)
			die("VE %u does not stop", ve->veid);
	}
	close(ve->fd);
	env_clean(ve);
}
