// SPDX-License-Identifier: Apache-2.0
/*
 * What common system calls cost, on the node or inside; see overhead.sh.
 *
 *   bench_overhead SUBJECT MODE           here
 *   bench_overhead --ve SUBJECT MODE      inside a VE with limits
 *   bench_overhead --stock SUBJECT MODE   inside stock namespaces with the same tree and limits
 *
 * Prints what tests/bench/run reads: one figure a metric.  A clock that counts instructions (-icount
 * shift=0) makes the nanoseconds of MODE icount instructions.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "envlib.h"

#define TREE "/usr/share/ve/template/tiny"
#define PRIVATE "/var/lib/ve/private/overhead"
#define CGROUP "/sys/fs/cgroup/ve/overhead"
#define SELF "/root/bench_overhead"
#define LOWER "/run/overhead-lower"
#define UPPER "/run/overhead-upper"
#define ID_FIRST 1000000
#define PAGE 4096

static const char *self;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void op_fork(void)
{
	int pid = fork();

	if (!pid)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		die("fork");
}

static void op_exec(void)
{
	int pid = vfork();

	if (!pid) {
		execl(self, self, "--nothing", NULL);
		_exit(1);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		die("exec");
}

static void op_mmap(void)
{
	void *p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || munmap(p, 16 * PAGE))
		die("mmap");
}

static void op_fault(void)
{
	char *p = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	for (int i = 0; i < 64; i++)
		p[i * PAGE] = 1;
	munmap(p, 64 * PAGE);
}

static void exchange(int to, int from, char *buf, size_t n)
{
	if (write(to, buf, n) != (ssize_t)n || read(from, buf, n) != (ssize_t)n)
		die("exchange");
}

static void op_pipe(void)
{
	static int p[2];
	char c = 'x';

	if (!p[1] && pipe(p))
		die("pipe");
	exchange(p[1], p[0], &c, 1);
}

static void tcp_pair(int p[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	p[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (l < 0 || bind(l, (void *)&a, n) || listen(l, 1) || getsockname(l, (void *)&a, &n) ||
	    connect(p[0], (void *)&a, n))
		die("tcp");
	p[1] = accept(l, NULL, NULL);
	close(l);
}

/* A message by TCP, one by a Unix socket, and a new pair of those. */
static void op_socket(void)
{
	static int tcp[2], un[2];
	static char buf[1024];
	int pair[2];

	if (!tcp[0]) {
		tcp_pair(tcp);
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, un))
			die("socketpair");
	}
	exchange(tcp[0], tcp[1], buf, sizeof(buf));
	exchange(un[0], un[1], buf, sizeof(buf));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair");
	close(pair[0]);
	close(pair[1]);
}

static void op_open(void)
{
	int fd = open("/etc/passwd", O_RDONLY);

	if (fd < 0)
		die("open");
	close(fd);
}

static void op_flock(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/tmp/lock", O_RDWR | O_CREAT, 0600);
	if (flock(fd, LOCK_EX) || flock(fd, LOCK_UN))
		die("flock");
}

static const struct {
	const char *name;
	void (*op)(void);
	int times;
} ops[] = {
	{ "fork", op_fork, 300 },     { "exec", op_exec, 150 },     { "mmap", op_mmap, 4000 },
	{ "fault", op_fault, 300 },   { "pipe", op_pipe, 10000 },   { "socket", op_socket, 1000 },
	{ "open", op_open, 10000 },   { "flock", op_flock, 20000 },
};

/* Each takes 30 ms or so: RCU's callbacks and the tick come several times in each. */
#define ROUNDS 9

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median of some rounds: what the kernel does now and then falls into one of them. */
static double cost(void (*op)(void), int times)
{
	double round[ROUNDS];

	for (int r = 0; r < ROUNDS; r++) {
		uint64_t begin = now();

		for (int n = 0; n < times; n++)
			op();
		round[r] = (double)(now() - begin) / times;
	}
	qsort(round, ROUNDS, sizeof(round[0]), by_size);
	return round[ROUNDS / 2];
}

static int measure(const char *subject, const char *mode)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		for (int n = 0; n < ops[i].times / 2; n++)
			ops[i].op();
		printf("%s %s %s %s %.1f\n", ops[i].name, mode, subject,
		       strcmp(mode, "icount") ? "ns" : "instructions", cost(ops[i].op, ops[i].times));
	}
	return 0;
}

static void put(int dir, const char *file, const char *text)
{
	int fd = openat(dir, file, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("%s", file);
	close(fd);
}

static int in_ve(const char *subject, const char *mode)
{
	char *init[] = { "/sbin/init", NULL };
	char *argv[] = { SELF, (char *)subject, (char *)mode, NULL };
	struct env_ublimit limits[UB_RESOURCES];
	struct env_ublimits arg = { .limits = (uintptr_t)limits };
	struct env_create_args args;
	struct env_ve ve;
	int fd, status;

	env_prepare(&ve, 900, TREE, &args, init);
	env_put(&ve, "/proc/self/exe", "bench_overhead");
	ve.fd = env_create(&args, sizeof(args));
	if (ve.fd < 0)
		die("env_create");
	close(args.root_fd);
	env_settle(&ve); /* what its init does at its start is not of what is measured */
	put(ve.acct, "memory.max", "134217728");
	put(ve.acct, "pids.max", "128");
	put(ve.acct, "cpu.weight", "100");
	for (unsigned int r = 0; r < UB_RESOURCES; r++) {
		if (r == UB_DUMMY || r == UB_DUMMY20 || r == UB_DUMMY21 || r == UB_DUMMY22 || r == UB_PHYSPAGES)
			continue;
		limits[arg.nr++] = (struct env_ublimit){ .resource = r, .barrier = 1u << 30, .limit = 1u << 30 };
	}
	if (env_ctl(ve.fd, ENV_CTL_UB_SET, &arg, sizeof(arg)))
		die("limits");
	fd = env_run(&ve, argv);
	if (fd < 0)
		die("env_enter");
	status = env_wait(fd);
	close(fd);
	env_destroy(&ve);
	return status ? 1 : 0;
}

/* A VE's loopback is up when it starts. */
static bool loopback_up(void)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	bool good = s >= 0 && !ioctl(s, SIOCSIFFLAGS, &r);

	close(s);
	return good;
}

/* What is a VE's, of stock parts: child of clone3() with all namespaces. */
static int stock_child(const char *subject, const char *mode, int ready)
{
	char c;

	if (read(ready, &c, 1) != 1 || setresgid(0, 0, 0) || setresuid(0, 0, 0) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("overlay", "/mnt", "overlay", 0,
		  "lowerdir=" LOWER ",upperdir=" UPPER "/upper,workdir=" UPPER "/work,userxattr") ||
	    chdir("/mnt") || mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) ||
	    mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666") ||
	    mount("tmpfs", "run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") ||
	    mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".")) /* an initramfs cannot be pivoted */
		die("stock namespaces");
	if (!loopback_up())
		die("loopback");
	execl(SELF, SELF, subject, mode, NULL);
	die("exec");
}

static void copy_self(const char *to)
{
	static char buf[65536];
	int in = open("/proc/self/exe", O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0755);
	ssize_t n;

	if (in < 0 || out < 0)
		die("%s", to);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			die("%s", to);
	close(in);
	close(out);
}

static void make_dir(const char *path)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		die("%s", path);
}

/* A VE's layers have its ids: here they are mounts, for the stock kernel takes no detached ones. */
static void attach(int layer, const char *where)
{
	make_dir(where);
	if (syscall(SYS_move_mount, layer, "", AT_FDCWD, where, MOVE_MOUNT_F_EMPTY_PATH))
		die("%s", where);
	close(layer);
}

static int in_stock(const char *subject, const char *mode)
{
	char map[32];
	struct clone_args ca = {
		.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC |
			 CLONE_NEWCGROUP | CLONE_NEWNET | CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
	};
	char path[64];
	int ready[2], pid, status, dir, userns = env_idmap_ns(ID_FIRST);

	make_dir(CGROUP);
	make_dir(PRIVATE);
	make_dir(PRIVATE "/upper");
	make_dir(PRIVATE "/upper/root");
	make_dir(PRIVATE "/work");
	copy_self(PRIVATE "/upper" SELF);
	attach(env_idmapped(TREE, userns), LOWER);
	attach(env_idmapped(PRIVATE, userns), UPPER);
	close(userns);
	dir = open(CGROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put(dir, "memory.max", "134217728");
	put(dir, "pids.max", "128");
	put(dir, "cpu.weight", "100");
	ca.cgroup = (uint64_t)dir;
	if (pipe2(ready, O_CLOEXEC))
		die("pipe");
	pid = (int)syscall(SYS_clone3, &ca, sizeof(ca));
	if (!pid)
		return stock_child(subject, mode, ready[0]);
	snprintf(map, sizeof(map), "0 %u 65536", ID_FIRST);
	for (int i = 0; i < 2; i++) {
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/%cid_map", pid, "ug"[i]);
		fd = open(path, O_WRONLY);
		if (fd < 0 || write(fd, map, strlen(map)) < 0)
			die("%s", path);
		close(fd);
	}
	if (write(ready[1], "x", 1) != 1 || waitpid(pid, &status, 0) != pid)
		die("stock");
	return status ? 1 : 0;
}

int main(int argc, char **argv)
{
	setlinebuf(stdout);
	self = argv[0];
	if (argc == 2 && !strcmp(argv[1], "--nothing"))
		return 0;
	if (argc == 4 && !strcmp(argv[1], "--ve"))
		return in_ve(argv[2], argv[3]);
	if (argc == 4 && !strcmp(argv[1], "--stock"))
		return in_stock(argv[2], argv[3]);
	if (argc != 3) {
		fputs("usage: bench_overhead [--ve|--stock] SUBJECT MODE\n", stderr);
		return 2;
	}
	return measure(argv[1], argv[2]);
}
