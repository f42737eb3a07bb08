// SPDX-License-Identifier: Apache-2.0
/*
 * What a victim feels of its neighbours: the time that a byte takes to a process of VE 700 and back, idle and while
 * ten VEs each throw the same kind of bomb.  See neighbour.sh.
 *
 *   bench_neighbour SAMPLES [KIND...]   on the node
 *   bench_neighbour --echo              in the victim
 *   bench_neighbour --bomb KIND         in a neighbour: takes all it gets and gives it back, for two minutes at most
 *
 * Prints what tests/bench/run reads: echo of each kind; memory that the node had left at its least; and what of its
 * memory was not there again when the bombs' VEs were gone.  Says on standard error, and ends with status 1, where
 * p99 is over twice the idle one, or something of a bomb is left.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/shape.h"
#include "envlib.h"

#define TREE "/usr/share/ve/template/tiny"
#define SELF "/root/bench_neighbour"
#define AGENT "/sys/fs/cgroup/agent"
#define VICTIM 700
#define BOMBS 10
#define LONGEST 120		/* seconds that a bomb lives */
#define MANY 65536		/* more than any limit lets through */
#define MIB (1u << 20)

/* ---- in a neighbour ------------------------------------------------------ */

static void bomb_fork(void)
{
	int n = 0;

	while (n < MANY && fork() > 0)
		n++;
	if (getpid() == getpgrp()) {
		kill(0, SIGUSR1); /* ignored by who leads */
		while (wait(NULL) > 0)
			;
		return;
	}
	for (;;)
		pause();
}

static void *rest(void *arg)
{
	pause();
	return arg;
}

/* In a process of its own, which takes them along. */
static void bomb_thread(void)
{
	int pid = fork();

	if (!pid) {
		pthread_attr_t small;
		pthread_t t;

		pthread_attr_init(&small);
		pthread_attr_setstacksize(&small, 65536);
		for (int n = 0; n < MANY && !pthread_create(&t, &small, rest, NULL); n++)
			;
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

/* Take descriptors until there are no more, then close them. */
static void bomb_of(int (*take)(void))
{
	static int fds[MANY];
	int n = 0;

	while (n < MANY && (fds[n] = take()) >= 0)
		n++;
	while (n)
		close(fds[--n]);
}

static int take_file(void)
{
	return open("/dev/null", O_RDONLY);
}

static int take_socket(void)
{
	static const char buf[65536];
	int p[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, p))
		return -1;
	send(p[0], buf, sizeof(buf), MSG_DONTWAIT);
	close(p[0]);
	return p[1];
}

static int take_inotify(void)
{
	int fd = inotify_init1(0);

	if (fd >= 0)
		inotify_add_watch(fd, "/", IN_ALL_EVENTS);
	return fd;
}

static int take_pty(void)
{
	return open("/dev/ptmx", O_RDWR | O_NOCTTY);
}

static void bomb_fd(void)
{
	bomb_of(take_file);
}

static void bomb_socket(void)
{
	bomb_of(take_socket);
}

static void bomb_inotify(void)
{
	bomb_of(take_inotify);
}

static void bomb_pty(void)
{
	bomb_of(take_pty);
}

/* Until it is killed; it comes again. */
static void bomb_memory(void)
{
	int pid = fork();

	if (!pid) {
		for (int n = 0; n < MANY; n++) {
			char *p = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			if (p == MAP_FAILED)
				break;
			memset(p, 1, MIB);
		}
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void write_file(int flags, size_t chunk)
{
	static char buf[MIB] __attribute__((aligned(4096)));
	int fd = open("/root/file", O_WRONLY | O_CREAT | O_TRUNC | flags, 0600);

	for (size_t done = 0; fd >= 0 && done < 64 * MIB; done += chunk)
		if (write(fd, buf, chunk) != (ssize_t)chunk)
			break;
	close(fd);
}

static void bomb_dirty(void)
{
	write_file(0, MIB);
}

static void bomb_disk(void)
{
	write_file(O_DSYNC, 65536);
}

static void bomb_dentry(void)
{
	static unsigned long n;
	struct stat st;
	char path[64];

	for (int i = 0; i < 10000; i++) {
		snprintf(path, sizeof(path), "/root/nothing-of-a-long-name-%lu", n++);
		stat(path, &st);
	}
}

static void bomb_flock(void)
{
	int fd = open("/root/lock", O_RDWR | O_CREAT, 0600);
	struct flock fl = { .l_type = F_WRLCK, .l_len = 1 };

	for (int n = 0; n < MANY && !fcntl(fd, F_SETLK, &fl); n++)
		fl.l_start += 2;
	close(fd);
}

static void bomb_siginfo(void)
{
	struct timespec none = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int n = 0; n < MANY && !sigqueue(getpid(), SIGRTMIN, (union sigval){ 0 }); n++)
		;
	while (sigtimedwait(&set, NULL, &none) > 0)
		;
}

/* To the victim, small ones. */
static void bomb_packet(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0x0a4e0000 + 2) };
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	for (int n = 0; n < 10000; n++)
		sendto(s, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
	close(s);
}

static void bomb_cpu(void)
{
	for (int n = 0; n < 3; n++)
		if (fork() == 0)
			break;
	for (;;)
		__asm__ volatile("");
}

static const struct {
	const char *name;
	void (*throw)(void);
} kinds[] = {
	{ "fork", bomb_fork },	     { "thread", bomb_thread },	  { "fd", bomb_fd },	     { "socket", bomb_socket },
	{ "memory", bomb_memory },   { "dirty", bomb_dirty },	  { "dentry", bomb_dentry }, { "inotify", bomb_inotify },
	{ "pty", bomb_pty },	     { "flock", bomb_flock },	  { "siginfo", bomb_siginfo }, { "packet", bomb_packet },
	{ "cpu", bomb_cpu },	     { "disk", bomb_disk },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void ignore(int sig)
{
	if (getpid() != getpgrp())
		_exit(sig);
}

static int be_bomb(const char *kind)
{
	setpgid(0, 0);
	signal(SIGUSR1, ignore);
	alarm(LONGEST);
	for (size_t k = 0; k < KINDS; k++)
		while (!strcmp(kinds[k].name, kind))
			kinds[k].throw();
	return 2;
}

static int be_echo(void)
{
	char c;

	while (read(0, &c, 1) == 1)
		if (write(1, &c, 1) != 1)
			return 1;
	return 0;
}

/* ---- on the node --------------------------------------------------------- */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static long meminfo(const char *row)
{
	static char text[8192];
	int fd = open("/proc/meminfo", O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	char *at;

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, row);
	if (!at)
		die("meminfo: %s", row);
	return atol(at + strlen(row));
}

static void write_to(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("%s", file);
	close(fd);
}

/* KiB of memory that nobody uses, caches and the lists of free pages that CPUs keep to themselves let go. */
static long unused(void)
{
	sync();
	write_to("/proc/sys/vm/drop_caches", "3");
	write_to("/proc/sys/vm/compact_memory", "1");
	return meminfo("MemFree:");
}

/* What a small plan gives. */
static const struct env_ublimit plan[] = {
	{ UB_KMEMSIZE, 0, 24 * MIB, 28 * MIB },	       { UB_PRIVVMPAGES, 0, 32768, 36864 },
	{ UB_NUMPROC, 0, 64, 64 },		       { UB_PHYSPAGES, 0, 16384, 16384 },
	{ UB_NUMFLOCK, 0, 180, 200 },		       { UB_NUMPTY, 0, 16, 16 },
	{ UB_NUMSIGINFO, 0, 256, 256 },		       { UB_OTHERSOCKBUF, 0, MIB, 2 * MIB },
	{ UB_DGRAMRCVBUF, 0, MIB, MIB },	       { UB_NUMOTHERSOCK, 0, 128, 128 },
	{ UB_DCACHESIZE, 0, 4 * MIB, 5 * MIB },	       { UB_NUMFILE, 0, 1024, 1024 },
	{ UB_SWAPPAGES, 0, 0, 0 },
};

static void start(struct env_ve *ve, envid_t veid)
{
	static char *const init[] = { "/sbin/init", NULL };
	struct env_ublimits limits = { .limits = (uintptr_t)plan, .nr = sizeof(plan) / sizeof(plan[0]) };
	struct env_netlimit net = { .packet_rate = SHAPE_PACKETS, .packet_burst = SHAPE_PACKETS_BURST }; /* as the agent */
	struct env_ip ip = { .family = AF_INET, .epoch = 1 };
	uint32_t addr = htonl(0x0a4e0000 + 2 + veid - VICTIM);
	struct env_create_args args;

	env_prepare(ve, veid, TREE, &args, init);
	env_put(ve, "/proc/self/exe", "bench_neighbour");
	ve->fd = env_create(&args, sizeof(args));
	if (ve->fd < 0)
		die("env_create %u", veid);
	close(args.root_fd);
	memcpy(ip.addr, &addr, sizeof(addr));
	if (env_ctl(ve->fd, ENV_CTL_UB_SET, &limits, sizeof(limits)) || env_ctl(ve->fd, ENV_CTL_NET_LIMIT, &net, sizeof(net)) ||
	    env_ctl(ve->fd, ENV_CTL_IP_ADD, &ip, sizeof(ip)))
		die("limits of VE %u", veid);
}

/* What runs on the node is in a group of its own, and the VEs have the weight that the agent gives them. */
static void be_the_agent(void)
{
	if (mkdir(AGENT, 0755))
		die(AGENT);
	write_to(AGENT "/cgroup.procs", "0");
	write_to("/sys/fs/cgroup/ve/cpu.weight", "1000");
}

/* ---- what is left behind -------------------------------------------------- */

static long file_number(const char *path, const char *after)
{
	static char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0, m;
	char *at;

	if (fd < 0)
		die("%s", path);
	while ((m = read(fd, text + n, sizeof(text) - 1 - (size_t)n)) > 0)
		n += m;
	close(fd);
	text[n] = '\0';
	at = strstr(text, after);
	if (!at)
		die("%s: no %s", path, after);
	return atol(at + strlen(after));
}

static long count_processes(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	char path[300], c;
	long n = 0;

	while (d && (e = readdir(d))) {
		int fd;

		snprintf(path, sizeof(path), "/proc/%s/cmdline", e->d_name);
		if (atoi(e->d_name) <= 0 || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
			continue;
		n += read(fd, &c, 1) == 1; /* not the kernel's own */
		close(fd);
	}
	closedir(d);
	return n;
}

static long count_files(void)
{
	return file_number("/proc/sys/fs/file-nr", "");
}

static long count_sockets(void)
{
	return file_number("/proc/net/sockstat", "sockets: used ") + file_number("/proc/net/sockstat", " alloc ");
}

static long count_ptys(void)
{
	return file_number("/proc/sys/kernel/pty/nr", "");
}

static long count_locks(void)
{
	FILE *f = fopen("/proc/locks", "re");
	char line[256];
	long n = 0;

	while (f && fgets(line, sizeof(line), f))
		n++;
	fclose(f);
	return n;
}

static long count_cgroups(void)
{
	return file_number("/sys/fs/cgroup/cgroup.stat", "nr_descendants ");
}

static long count_dying(void)
{
	return file_number("/sys/fs/cgroup/cgroup.stat", "nr_dying_descendants ");
}

static long count_netns(void)
{
	write_to("/sys/kernel/slab/net_namespace/shrink", "1"); /* or free ones count as used */
	return file_number("/proc/slabinfo", "\nnet_namespace ");
}

static long count_ves(void)
{
	return env_listed();
}

/* @slack: what a CPU keeps to itself of the count (files), or counts of a slab that it works on. */
static const struct {
	const char *what;
	long (*count)(void);
	long slack;
} counters[] = {
	{ "processes", count_processes, 0 }, { "files", count_files, 64 },	 { "sockets", count_sockets, 0 },
	{ "ptys", count_ptys, 0 },	     { "locks", count_locks, 0 },	 { "cgroups", count_cgroups, 0 },
	{ "dying cgroups", count_dying, 0 }, { "net namespaces", count_netns, 7 }, { "VEs", count_ves, 0 },
};
#define COUNTERS (sizeof(counters) / sizeof(counters[0]))
#define LOST_MOST 4096 /* KiB, of slabs half empty and lists of free pages */

static int bad;

static void count_all(long n[COUNTERS])
{
	for (size_t i = 0; i < COUNTERS; i++)
		n[i] = counters[i].count();
}

/* What goes after a grace period may take a while, and no longer. */
static void must_be_back(const char *kind, const long had[COUNTERS], long before)
{
	long n[COUNTERS], lost = 0;
	bool more = true;

	for (int i = 0; i < 300 && more; i++) {
		lost = before - unused();
		count_all(n);
		more = lost >= 1024 && i < 100;
		for (size_t k = 0; k < COUNTERS; k++)
			more |= n[k] > had[k] + counters[k].slack;
		if (more)
			usleep(100000);
	}
	for (size_t k = 0; k < COUNTERS; k++)
		if (n[k] > had[k] + counters[k].slack) {
			fprintf(stderr, "neighbour: after %s there are %ld %s, there were %ld\n", kind, n[k],
				counters[k].what, had[k]);
			bad = 1;
		}
	if (lost >= LOST_MOST) {
		fprintf(stderr, "neighbour: after %s %ld KiB are missing\n", kind, lost);
		bad = 1;
	}
	printf("memory_lost icount %s KiB %ld\n", kind, lost > 0 ? lost : 0);
}

static int echo_in[2], echo_out[2];

static void start_victim(struct env_ve *ve)
{
	char *argv[] = { SELF, "--echo", NULL };

	start(ve, VICTIM);
	if (pipe2(echo_in, O_CLOEXEC) || pipe2(echo_out, O_CLOEXEC) ||
	    env_run_with(ve, argv, echo_in[0], echo_out[1]) < 0)
		die("the victim");
}

static int by_size(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1 : 1;
}

/* The nearest rank, as rows.jq has it. */
static double p99(double *us, int n)
{
	qsort(us, (size_t)n, sizeof(*us), by_size);
	return us[(n * 99 + 99) / 100 - 1];
}

/* Returns p99 in microseconds. */
static double measure(const char *subject, int samples)
{
	long least = meminfo("MemAvailable:");
	double *us = calloc((size_t)samples, sizeof(*us)), most;

	if (!us)
		die("no memory");
	for (int i = 0; i < samples; i++) {
		uint64_t begin = now_ns();
		long left;
		char c = 'x';

		if (write(echo_in[1], &c, 1) != 1 || !env_poll(echo_out[0], POLLIN, 30000) || read(echo_out[0], &c, 1) != 1)
			die("the victim does not answer while %s", subject);
		us[i] = (double)(now_ns() - begin) / 1000;
		printf("echo icount %s us %.1f\n", subject, us[i]);
		left = meminfo("MemAvailable:");
		least = left < least ? left : least;
		usleep(10000); /* a person types, and not at once */
	}
	printf("memory_left icount %s MiB %ld\n", subject, least / 1024);
	most = p99(us, samples);
	free(us);
	return most;
}

static void bombard(const char *kind, int samples, double idle)
{
	char *argv[] = { SELF, "--bomb", (char *)kind, NULL };
	long before = unused(), had[COUNTERS];
	struct env_ve ve[BOMBS];
	double most;

	count_all(had);
	for (int i = 0; i < BOMBS; i++)
		start(&ve[i], (envid_t)(VICTIM + 1 + i));
	for (int i = 0; i < BOMBS; i++)
		if (env_run(&ve[i], argv) < 0)
			die("a bomb of %s", kind);
	most = measure(kind, samples);
	for (int i = 0; i < BOMBS; i++)
		env_destroy(&ve[i]);
	if (most > 2 * idle) {
		fprintf(stderr, "neighbour: under %s the 99th of a hundred echoes takes %.0f us, over twice the %.0f us when idle\n",
			kind, most, idle);
		bad = 1;
	}
	must_be_back(kind, had, before);
}

int main(int argc, char **argv)
{
	struct env_ve victim;
	double idle;

	if (argc == 2 && !strcmp(argv[1], "--echo"))
		return be_echo();
	if (argc == 3 && !strcmp(argv[1], "--bomb"))
		return be_bomb(argv[2]);
	if (argc < 2 || atoi(argv[1]) < 1) {
		fputs("usage: bench_neighbour SAMPLES [KIND...]\n", stderr);
		return 2;
	}
	setlinebuf(stdout);
	env_require();
	be_the_agent();
	start_victim(&victim);
	idle = measure("idle", atoi(argv[1]));
	for (size_t k = 0; k < KINDS; k++) {
		bool wanted = argc == 2;

		for (int i = 2; i < argc; i++)
			wanted |= !strcmp(argv[i], kinds[k].name);
		if (wanted)
			bombard(kinds[k].name, atoi(argv[1]), idle);
	}
	measure("idle", atoi(argv[1]));
	env_destroy(&victim);
	return bad;
}
