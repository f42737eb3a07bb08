// SPDX-License-Identifier: Apache-2.0
/*
 * What a VE is told about itself, field by field, asked of the running kernel and printed as docs/views.md: each
 * field that a file shows is in the table below, and what the table says of it is tried, with loads that are made here
 * and limits that are set here.  A field that the table does not know, or that is not as it says, is printed so.
 *
 *   views               on the node
 *   views --print       in the VE: FILE FIELD VALUE, a line each
 *   views --load KIND   in the VE: makes it, says so, and keeps it until its input ends
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>

#include "envlib.h"

#define TREE "/usr/share/ve/template/tiny"
#define SELF "/root/views"
#define MIB (1L << 20)
#define SIZE (32 * MIB)	   /* of a load of memory */
#define TOTAL (128 * MIB)  /* physpages */
#define LOCK (4 * MIB)	   /* of one that may not be swapped */
#define SWAP (48 * MIB)	   /* swappages */
#define DISK (160 * MIB)   /* the private tree's */
#define DISK_FILES 1000
#define CHUNK 65536
#define TABLES 1024	   /* of pages */
#define LONG 20		   /* seconds until a load average has moved */
#define THREADS 200
#define SECONDS 4	   /* of a load of CPU time */
#define HOGS 3
#define WAITING 4
#define SYNCED 256	   /* writes */
#define INODES 200
#define CAP 5		   /* of so many CPUs' time one is had */
#define OFF 0.05	   /* how far off a load may be seen */

/* ---- in the VE: what it is told ------------------------------------------- */

static void say(const char *file, const char *field, double value)
{
	printf("%s\t%s\t%.2f\n", file, field, value);
}

/* "name: value" or "name value", a line each */
static void print_pairs(const char *file)
{
	char path[64], name[64];
	double value;
	char line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s", file);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63[^: ]%*[: \t]%lf", name, &value) == 2)
			say(file, name, value);
	if (f)
		fclose(f);
}

/* One line of numbers, named */
static void print_line(const char *file, const char *format, const char *const *names, int n)
{
	double v[5] = { 0 };
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s", file);
	f = fopen(path, "r");
	if (f && fscanf(f, format, &v[0], &v[1], &v[2], &v[3], &v[4]) > 0)
		for (int i = 0; i < n; i++)
			say(file, names[i], v[i]);
	if (f)
		fclose(f);
}

static void print_stat(void)
{
	static const char *const names[] = { "user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice" };
	char line[1024], field[32];
	FILE *f = fopen("/proc/stat", "r");
	int cpus = 0, used;
	char *at;

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "cpu", 3)) {
			double v;

			if (sscanf(line, "%31s %lf", field, &v) == 2)
				say("stat", field, v);
			continue;
		}
		if (line[3] != ' ') {
			cpus++;
			continue;
		}
		at = line + 3;
		for (int i = 0; i < 10; i++) {
			double v = 0;

			if (sscanf(at, "%lf%n", &v, &used) != 1)
				break;
			at += used;
			snprintf(field, sizeof(field), "cpu %s", names[i]);
			say("stat", field, v);
		}
	}
	say("stat", "cpuN", cpus);
	if (f)
		fclose(f);
}

static void print_cpuinfo(void)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[4096];
	int n = 0;

	while (f && fgets(line, sizeof(line), f))
		n += !strncmp(line, "processor", 9);
	say("cpuinfo", "processor", n);
	if (f)
		fclose(f);
}

static void print_swaps(void)
{
	FILE *f = fopen("/proc/swaps", "r");
	double size = 0, used = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "swap %*s %lf %lf", &size, &used);
	say("swaps", "Size", size);
	say("swaps", "Used", used);
	if (f)
		fclose(f);
}

static void print_pressure(const char *what)
{
	char path[64], name[8], field[32];
	double a, b, c, total;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/pressure/%s", what);
	f = fopen(path, "r");
	while (f && fscanf(f, "%7s avg10=%lf avg60=%lf avg300=%lf total=%lf", name, &a, &b, &c, &total) == 5) {
		snprintf(field, sizeof(field), "%s %s", what, name);
		say("pressure", field, total);
	}
	if (f)
		fclose(f);
}

static void print_version(void)
{
	FILE *f = fopen("/proc/version", "r");
	char release[128] = "";
	struct utsname u;

	uname(&u);
	if (f && fscanf(f, "Linux version %127s", release) == 1)
		say("version", "release", !strcmp(release, u.release));
	if (f)
		fclose(f);
}

static void print_disk(void)
{
	struct statvfs s;

	if (statvfs("/", &s))
		die("statvfs");
	say("statfs(2)", "f_blocks", (double)s.f_blocks * (double)s.f_frsize);
	say("statfs(2)", "f_bfree", (double)s.f_bfree * (double)s.f_frsize);
	say("statfs(2)", "f_bavail", (double)s.f_bavail * (double)s.f_frsize);
	say("statfs(2)", "f_files", (double)s.f_files);
	say("statfs(2)", "f_ffree", (double)s.f_ffree);
}

static void print_calls(void)
{
	struct sysinfo s;
	double loads[3];
	cpu_set_t set;

	sysinfo(&s);
	say("sysinfo(2)", "uptime", (double)s.uptime);
	say("sysinfo(2)", "loads", (double)s.loads[0] / (1 << SI_LOAD_SHIFT));
	say("sysinfo(2)", "totalram", (double)s.totalram * s.mem_unit);
	say("sysinfo(2)", "freeram", (double)s.freeram * s.mem_unit);
	say("sysinfo(2)", "sharedram", (double)s.sharedram * s.mem_unit);
	say("sysinfo(2)", "bufferram", (double)s.bufferram * s.mem_unit);
	say("sysinfo(2)", "totalswap", (double)s.totalswap * s.mem_unit);
	say("sysinfo(2)", "freeswap", (double)s.freeswap * s.mem_unit);
	say("sysinfo(2)", "procs", s.procs);
	sched_getaffinity(0, sizeof(set), &set);
	say("sched_getaffinity(2)", "CPUs", CPU_COUNT(&set));
	getloadavg(loads, 3);
	say("getloadavg(3)", "1 minute", loads[0]);
	say("sysconf(3)", "_SC_NPROCESSORS_ONLN", (double)sysconf(_SC_NPROCESSORS_ONLN));
	say("sysconf(3)", "_SC_PHYS_PAGES", (double)sysconf(_SC_PHYS_PAGES) * 4096);
}

static int print_all(void)
{
	static const char *const up[] = { "uptime", "idle" }, *const load[] = { "1 minute", "5 minutes", "15 minutes", "running", "threads" };

	print_pairs("meminfo");
	print_pairs("vmstat");
	print_stat();
	print_line("uptime", "%lf %lf", up, 2);
	print_line("loadavg", "%lf %lf %lf %lf/%lf", load, 5);
	print_cpuinfo();
	print_swaps();
	print_pressure("cpu");
	print_pressure("memory");
	print_pressure("io");
	print_version();
	print_calls();
	print_disk();
	return 0;
}

/* ---- in the VE: loads ------------------------------------------------------ */

static void *rest(void *arg)
{
	pause();
	return arg;
}

static void load_threads(void)
{
	pthread_attr_t small;
	pthread_t t;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t, &small, rest, NULL))
			die("a thread");
}

static void *map(int flags, long size)
{
	void *p = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static void load_anon(void)
{
	memset(map(MAP_PRIVATE | MAP_ANONYMOUS, SIZE), 1, SIZE);
}

/* A page in each table of them. */
static void load_tables(void)
{
	char *p = map(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, TABLES * 2 * MIB);

	for (long i = 0; i < TABLES; i++)
		p[i * 2 * MIB] = 1;
}

static void load_locked(void)
{
	if (mlock(map(MAP_PRIVATE | MAP_ANONYMOUS, LOCK), LOCK))
		die("mlock");
}

static void load_promised(void)
{
	map(MAP_PRIVATE | MAP_ANONYMOUS, SIZE);
}

static void load_shared(void)
{
	memset(map(MAP_SHARED | MAP_ANONYMOUS, SIZE), 1, SIZE);
}

static void load_file(void)
{
	static char buf[CHUNK];
	int fd = open("/root/file", O_RDWR | O_CREAT | O_TRUNC, 0600);

	for (long n = 0; n < SIZE; n += CHUNK)
		if (write(fd, buf, CHUNK) != CHUNK)
			die("/root/file");
	unlink("/root/file");
}

static void load_inodes(void)
{
	for (int i = 0; i < INODES; i++)
		if (open("/root/file", O_RDWR | O_CREAT | O_EXCL, 0600) < 0 || unlink("/root/file"))
			die("/root/file %d", i);
}

static void load_synced(void)
{
	static char buf[CHUNK];
	int fd = open("/root/file", O_RDWR | O_CREAT | O_TRUNC | O_SYNC, 0600);

	for (int i = 0; i < SYNCED; i++)
		if (pwrite(fd, buf, CHUNK, 0) != CHUNK)
			die("/root/file");
	unlink("/root/file");
}

/* Who has called vfork(2) waits without being interrupted, until the child has a program or ends. */
static void load_waiting(void)
{
	for (int i = 0; i < WAITING; i++) {
		if (fork())
			continue;
		if (!vfork())
			pause();
		_exit(0);
	}
	for (int waiting = 0; waiting < WAITING;) {
		FILE *f = fopen("/proc/stat", "r");
		char line[1024];

		while (f && fgets(line, sizeof(line), f))
			sscanf(line, "procs_blocked %d", &waiting);
		if (f)
			fclose(f);
	}
}

/* More than there is memory for: what is over goes to swap. */
static void load_swap(void)
{
	for (long n = 0; n < TOTAL + SIZE; n += SIZE)
		load_anon();
}

static double thread_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void load_user(void)
{
	while (thread_time() < SECONDS)
		for (volatile int i = 0; i < 100000; i++)
			;
}

static void load_system(void)
{
	static char buf[CHUNK];
	int fd = open("/dev/zero", O_RDONLY);

	while (thread_time() < SECONDS)
		if (read(fd, buf, CHUNK) != CHUNK)
			die("/dev/zero");
}

static void load_hogs(void)
{
	for (int i = 0; i < HOGS; i++) {
		if (fork())
			continue;
		alarm(120);
		for (;;)
			__asm__ volatile("");
	}
}

enum { NONE, ANON, TABLE, LOCKED, PROMISED, SHARED, FILES, INODE, SYNC, SWAPPED, USER, SYSTEM, CAPPED, WAIT, HOG, THREAD, LOADS };
static const struct {
	const char *name, *words;
	void (*make)(void);
	double bytes;
} loads[LOADS] = {
	[ANON] = { "anon", "32 MiB of a program", load_anon, SIZE },
	[TABLE] = { "tables", "1,024 page tables", load_tables, 0 },
	[LOCKED] = { "locked", "4 MiB locked", load_locked, LOCK },
	[PROMISED] = { "promised", "32 MiB mapped", load_promised, SIZE },
	[SHARED] = { "shared", "32 MiB of shared memory", load_shared, SIZE },
	[FILES] = { "file", "a file of 32 MiB written", load_file, SIZE },
	[INODE] = { "inodes", "200 files made", load_inodes, 0 },
	[SYNC] = { "synced", "256 writes through to the disk", load_synced, 0 },
	[SWAPPED] = { "swap", "32 MiB more than there is memory", load_swap, SIZE },
	[USER] = { "user", "4 s of a program", load_user, 0 },
	[SYSTEM] = { "system", "4 s of the kernel for it", load_system, 0 },
	[CAPPED] = { "capped", "4 s of a program that has a fifth of a CPU", load_user, 0 },
	[WAIT] = { "waiting", "4 that wait so", load_waiting, 0 },
	[HOG] = { "hogs", "3 that run, of 20 s", load_hogs, 0 },
	[THREAD] = { "threads", "200 threads", load_threads, 0 },
};

static int load(const char *kind)
{
	char c;

	setsid();
	for (int i = 1; i < LOADS; i++)
		if (!strcmp(loads[i].name, kind))
			loads[i].make();
	if (write(1, "r", 1) != 1)
		return 1;
	while (read(0, &c, 1) > 0)
		;
	kill(0, SIGTERM); /* hogs */
	return 0;
}

/* ---- the table ------------------------------------------------------------- */

enum how {
	IS,	/* the number itself */
	RISES,	/* by the load's size, times @n */
	FALLS,
	GROWS,	/* by something, with the load */
	REST,	/* of the uptime of one CPU, in 1/@n s, what is not used */
	CLOCK,	/* by the time that passed, times @n */
	NOTHING,/* 0, whatever happens */
};

static const struct field {
	const char *file, *name, *twin; /* the sum of both is looked at */
	const char *sees, *source;
	enum how how;
	int load;
	double n;
} fields[] = {
	{ "meminfo", "MemTotal", 0, "limit of physpages", "memory.max", IS, 0, TOTAL / 1024 },
	{ "meminfo", "MemFree", 0, "of that, what is not used", "memory.max, memory.current", FALLS, ANON, 1. / 1024 },
	{ "meminfo", "MemAvailable", 0, "and caches that can go", "memory.stat", FALLS, ANON, 1. / 1024 },
	{ "meminfo", "Buffers", 0, "nothing", "", NOTHING },
	{ "meminfo", "Cached", 0, "files and shared memory", "memory.stat", RISES, SHARED, 1. / 1024 },
	{ "meminfo", "SwapCached", 0, "nothing", "", NOTHING },
	{ "meminfo", "Active", "Inactive", "both kinds", "memory.stat", RISES, ANON, 1. / 1024 },
	{ "meminfo", "Inactive", "Active", "both kinds", "memory.stat", RISES, ANON, 1. / 1024 },
	{ "meminfo", "SwapTotal", 0, "limit of swappages", "memory.swap.max", IS, 0, SWAP / 1024 },
	{ "meminfo", "SwapFree", 0, "of that, what is not used", "memory.swap.current", FALLS, SWAPPED, 1. / 1024 },
	{ "meminfo", "Active(anon)", "Inactive(anon)", "memory of programs", "memory.stat", RISES, ANON, 1. / 1024 },
	{ "meminfo", "Inactive(anon)", "Active(anon)", "memory of programs", "memory.stat", RISES, ANON, 1. / 1024 },
	{ "meminfo", "Active(file)", "Inactive(file)", "pages of files", "memory.stat", RISES, FILES, 1. / 1024 },
	{ "meminfo", "Inactive(file)", "Active(file)", "pages of files", "memory.stat", RISES, FILES, 1. / 1024 },
	{ "meminfo", "Unevictable", 0, "locked", "memory.stat", RISES, LOCKED, 1. / 1024 },
	{ "meminfo", "Dirty", "Writeback", "not yet on the disk", "memory.stat", RISES, FILES, 1. / 1024 },
	{ "meminfo", "Writeback", "Dirty", "on the way to the disk", "memory.stat", RISES, FILES, 1. / 1024 },
	{ "meminfo", "AnonPages", 0, "mapped memory of programs", "memory.stat", RISES, ANON, 1. / 1024 },
	{ "meminfo", "Mapped", 0, "mapped files", "memory.stat", RISES, SHARED, 1. / 1024 },
	{ "meminfo", "Shmem", 0, "shared memory", "memory.stat", RISES, SHARED, 1. / 1024 },
	{ "meminfo", "SReclaimable", "SUnreclaim", "kernel memory that can go", "memory.stat", GROWS, THREAD },
	{ "meminfo", "SUnreclaim", 0, "kernel memory that cannot", "memory.stat", GROWS, THREAD },
	{ "meminfo", "KernelStack", 0, "stacks of its threads in the kernel", "memory.stat", RISES, THREAD, 16 * THREADS },
	{ "meminfo", "PageTables", 0, "page tables", "memory.stat", GROWS, TABLE },
	{ "meminfo", "Slab", 0, "both kinds of kernel memory", "memory.stat", GROWS, THREAD },
	{ "meminfo", "CommitLimit", 0, "memory and swap", "memory.max, memory.swap.max", IS, 0, (TOTAL + SWAP) / 1024 },
	{ "meminfo", "Committed_AS", 0, "privvmpages", "the beancounter", RISES, PROMISED, 1. / 1024 },
	{ "vmstat", "nr_free_pages", 0, "as MemFree", "memory.current", FALLS, ANON, 1. / 4096 },
	{ "vmstat", "nr_inactive_anon", "nr_active_anon", "as in meminfo", "memory.stat", RISES, ANON, 1. / 4096 },
	{ "vmstat", "nr_active_anon", "nr_inactive_anon", "as in meminfo", "memory.stat", RISES, ANON, 1. / 4096 },
	{ "vmstat", "nr_inactive_file", "nr_active_file", "as in meminfo", "memory.stat", RISES, FILES, 1. / 4096 },
	{ "vmstat", "nr_active_file", "nr_inactive_file", "as in meminfo", "memory.stat", RISES, FILES, 1. / 4096 },
	{ "vmstat", "nr_unevictable", 0, "as in meminfo", "memory.stat", RISES, LOCKED, 1. / 4096 },
	{ "vmstat", "nr_slab_reclaimable", "nr_slab_unreclaimable", "as in meminfo", "memory.stat", GROWS, THREAD },
	{ "vmstat", "nr_slab_unreclaimable", 0, "as in meminfo", "memory.stat", GROWS, THREAD },
	{ "vmstat", "nr_anon_pages", 0, "as in meminfo", "memory.stat", RISES, ANON, 1. / 4096 },
	{ "vmstat", "nr_mapped", 0, "as in meminfo", "memory.stat", RISES, SHARED, 1. / 4096 },
	{ "vmstat", "nr_file_pages", 0, "as Cached", "memory.stat", RISES, SHARED, 1. / 4096 },
	{ "vmstat", "nr_dirty", "nr_writeback", "as in meminfo", "memory.stat", RISES, FILES, 1. / 4096 },
	{ "vmstat", "nr_writeback", "nr_dirty", "as in meminfo", "memory.stat", RISES, FILES, 1. / 4096 },
	{ "vmstat", "nr_shmem", 0, "as in meminfo", "memory.stat", RISES, SHARED, 1. / 4096 },
	{ "vmstat", "nr_page_table_pages", 0, "as in meminfo", "memory.stat", GROWS, TABLE },
	{ "vmstat", "all others", 0, "nothing", "", NOTHING },
	{ "stat", "cpu user", 0, "time of its programs", "the cgroup's rstat", RISES, USER, SECONDS * 100 },
	{ "stat", "cpu nice", 0, "nothing", "", NOTHING },
	{ "stat", "cpu system", 0, "time of the kernel for them", "the cgroup's rstat", RISES, SYSTEM, SECONDS * 100 },
	{ "stat", "cpu idle", 0, "uptime of the CPUs it sees, less what it used", "the same", REST, 0, 100 },
	{ "stat", "cpu iowait", 0, "nothing", "", NOTHING },
	{ "stat", "cpu irq", 0, "nothing", "", NOTHING },
	{ "stat", "cpu softirq", 0, "nothing", "", NOTHING },
	{ "stat", "cpu steal", 0, "time that its cap has kept it waiting", "the cap's account", RISES, CAPPED, SECONDS * 100 * (CAP - 1) },
	{ "stat", "cpu guest", 0, "nothing", "", NOTHING },
	{ "stat", "cpu guest_nice", 0, "nothing", "", NOTHING },
	{ "stat", "cpuN", 0, "a line for each CPU it sees", "ENV_CTL_CPU", IS, 0, 1 },
	{ "stat", "intr", 0, "nothing", "", NOTHING },
	{ "stat", "ctxt", 0, "nothing", "", NOTHING },
	{ "stat", "btime", 0, "when the VE started", "the VE", CLOCK, 0, 0 },
	{ "stat", "processes", 0, "its forks", "its pid namespace", GROWS, HOG },
	{ "stat", "procs_running", 0, "its tasks that run", "its tasks", RISES, HOG, HOGS },
	{ "stat", "procs_blocked", 0, "its tasks that wait and cannot be interrupted", "its tasks", RISES, WAIT, WAITING },
	{ "stat", "softirq", 0, "nothing", "", NOTHING },
	{ "uptime", "uptime", 0, "since the VE's start", "the VE", CLOCK, 0, 1 },
	{ "uptime", "idle", 0, "as cpu idle", "the cgroup's rstat", REST, 0, 1 },
	{ "loadavg", "1 minute", 0, "its tasks that run or wait for a disk", "its tasks", GROWS, HOG },
	{ "loadavg", "5 minutes", 0, "its tasks that run or wait for a disk", "its tasks", GROWS, HOG },
	{ "loadavg", "15 minutes", 0, "its tasks that run or wait for a disk", "its tasks", GROWS, HOG },
	{ "loadavg", "running", 0, "its tasks that run", "its tasks", RISES, HOG, HOGS },
	{ "loadavg", "threads", 0, "its threads", "its tasks", RISES, THREAD, THREADS },
	{ "cpuinfo", "processor", 0, "the CPUs it sees, each as the node's", "ENV_CTL_CPU", IS, 0, 1 },
	{ "swaps", "Size", 0, "limit of swappages", "memory.swap.max", IS, 0, SWAP / 1024 },
	{ "swaps", "Used", 0, "its swap", "memory.swap.current", RISES, SWAPPED, 1. / 1024 },
	{ "pressure", "cpu some", 0, "us that a task waited for a CPU", "cpu.pressure", GROWS, HOG },
	{ "pressure", "cpu full", 0, "us that all waited", "cpu.pressure", GROWS, CAPPED },
	{ "pressure", "memory some", 0, "us that a task waited for memory", "memory.pressure", GROWS, SWAPPED },
	{ "pressure", "memory full", 0, "us that all waited", "memory.pressure", GROWS, SWAPPED },
	{ "pressure", "io some", 0, "us that a task waited for a disk", "io.pressure", GROWS, SYNC },
	{ "pressure", "io full", 0, "us that all waited", "io.pressure", GROWS, SYNC },
	{ "version", "release", 0, "as uname(2)", "utsname", IS, 0, 1 },
	{ "sysinfo(2)", "uptime", 0, "since the VE's start", "the VE", CLOCK, 0, 1 },
	{ "sysinfo(2)", "loads", 0, "as loadavg", "its tasks", GROWS, HOG },
	{ "sysinfo(2)", "totalram", 0, "as MemTotal", "memory.max", IS, 0, TOTAL },
	{ "sysinfo(2)", "freeram", 0, "as MemFree", "memory.current", FALLS, ANON, 1 },
	{ "sysinfo(2)", "sharedram", 0, "as Shmem", "memory.stat", RISES, SHARED, 1 },
	{ "sysinfo(2)", "bufferram", 0, "nothing", "", NOTHING },
	{ "sysinfo(2)", "totalswap", 0, "as SwapTotal", "memory.swap.max", IS, 0, SWAP },
	{ "sysinfo(2)", "freeswap", 0, "as SwapFree", "memory.swap.current", FALLS, SWAPPED, 1 },
	{ "sysinfo(2)", "procs", 0, "its threads", "its tasks", RISES, THREAD, THREADS },
	{ "sched_getaffinity(2)", "CPUs", 0, "the CPUs it sees", "ENV_CTL_CPU", IS, 0, 1 },
	{ "getloadavg(3)", "1 minute", 0, "as loadavg", "/proc/loadavg", GROWS, HOG },
	{ "sysconf(3)", "_SC_NPROCESSORS_ONLN", 0, "the CPUs it sees", "sched_getaffinity(2)", IS, 0, 1 },
	{ "sysconf(3)", "_SC_PHYS_PAGES", 0, "as MemTotal", "sysinfo(2)", IS, 0, TOTAL },
	{ "statfs(2)", "f_blocks", 0, "limit of its disk", "project quota", IS, 0, DISK },
	{ "statfs(2)", "f_bfree", 0, "of that, what is not used", "project quota", FALLS, FILES, 1 },
	{ "statfs(2)", "f_bavail", 0, "the same", "project quota", FALLS, FILES, 1 },
	{ "statfs(2)", "f_files", 0, "limit of its files", "project quota", IS, 0, DISK_FILES },
	{ "statfs(2)", "f_ffree", 0, "of that, what is not used", "project quota", FALLS, INODE, INODES },
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

/* ---- on the node: reading -------------------------------------------------- */

#define MOST 600

struct view {
	double at; /* seconds */
	int n;
	struct {
		char file[24], name[48];
		double value;
	} of[MOST];
};
static struct view *before, *with; /* a load each */

static void look(const struct env_ve *ve, struct view *v)
{
	static char text[65536];
	struct timespec t;
	char *line, *rest;

	if (env_sh(ve, SELF " --print", text, sizeof(text)))
		die("views --print: %s", text);
	clock_gettime(CLOCK_MONOTONIC, &t);
	v->at = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
	v->n = 0;
	for (line = strtok_r(text, "\n", &rest); line && v->n < MOST; line = strtok_r(NULL, "\n", &rest))
		if (sscanf(line, "%23[^\t]\t%47[^\t]\t%lf", v->of[v->n].file, v->of[v->n].name, &v->of[v->n].value) == 3)
			v->n++;
}

static double value(const struct view *v, const char *file, const char *name)
{
	for (int i = 0; name && i < v->n; i++)
		if (!strcmp(v->of[i].file, file) && !strcmp(v->of[i].name, name))
			return v->of[i].value;
	return name ? NAN : 0;
}

static double sum(const struct view *v, const struct field *f)
{
	return value(v, f->file, f->name) + value(v, f->file, f->twin);
}

static const struct field *find(const char *file, const char *name)
{
	for (size_t i = 0; i < FIELDS; i++)
		if (!strcmp(fields[i].file, file) && !strcmp(fields[i].name, name))
			return &fields[i];
	return NULL;
}

/* ---- on the node: judging -------------------------------------------------- */

static bool near(double got, double want, double slack)
{
	return fabs(got - want) <= fabs(want) * OFF + slack;
}

static bool is_nothing(const struct field *f)
{
	for (int l = 0; l < LOADS; l++) {
		const struct view *v = &with[l ? l : 1];

		if (strcmp(f->name, "all others") && sum(v, f) != 0)
			return false;
		for (int i = 0; !strcmp(f->name, "all others") && i < v->n; i++)
			if (!strcmp(v->of[i].file, f->file) && !find(f->file, v->of[i].name) && v->of[i].value != 0)
				return false;
	}
	return true;
}

/* Is it as the table says?  The words are what was tried. */
static bool judge(const struct field *f, char *words, size_t size)
{
	const struct view *v = &with[f->load];
	double by = f->load ? sum(v, f) - sum(&before[f->load], f) : 0;
	double want = f->load ? f->n * (loads[f->load].bytes ? loads[f->load].bytes : 1) : 0;

	if (f->load)
		snprintf(words, size, "%s with %s%s%s", f->how == FALLS ? "falls by as much" : f->how == RISES ? "rises by as much" : "rises", loads[f->load].words,
			 f->twin ? ", together with " : "", f->twin ? f->twin : "");
	switch (f->how) {
	case IS:
		snprintf(words, size, "is what was set");
		return value(&before[1], f->file, f->name) == f->n;
	case RISES:
		return near(by, want, 1);
	case FALLS:
		return near(-by, want, 1);
	case GROWS:
		if (!f->load)
			snprintf(words, size, "is there");
		return f->load ? by > 0 : !isnan(sum(&before[1], f));
	case CLOCK:
		snprintf(words, size, f->n ? "runs with the node's clock" : "stands still");
		by = sum(&with[THREAD], f) - sum(&before[1], f);
		return near(by, f->n * (with[THREAD].at - before[1].at), f->n < 2 ? 1 : 20);
	case REST:
		snprintf(words, size, "is uptime less user, system and steal");
		v = &with[THREAD];
		return near(sum(v, f) / f->n, value(v, "uptime", "uptime") - (value(v, "stat", "cpu user") +
			    value(v, "stat", "cpu system") + value(v, "stat", "cpu steal")) / 100, 0.1);
	case NOTHING:
		snprintf(words, size, "stays 0 with each load");
		return is_nothing(f);
	}
	return false;
}

static void print_row(const struct field *f)
{
	char words[160] = "";
	bool good = judge(f, words, sizeof(words));

	printf("| %s | %s | %s | %s%s |\n", f->name, f->sees, f->source, words, good ? "" : ": NOT SO");
	if (!good)
		fprintf(stderr, "# %s %s: %.2f before, %.2f with %s\n", f->file, f->name, sum(&before[f->load ? f->load : 1], f), sum(&with[f->load ? f->load : THREAD], f),
			f->load ? loads[f->load].name : "nothing");
}

static void print_table(void)
{
	const char *file = "";

	puts("# What a VE is told about itself\n\nPrinted by `make views` from inside a VE, with limits that were set and loads that were made for it; as\n"
	     "much is meant within 5 %. `tests/guest/t5005-views.sh` prints it again and compares: a kernel that shows more, or shows something\n"
	     "else, fails there.");
	for (size_t i = 0; i < FIELDS; i++) {
		const struct field *f = &fields[i];

		if (strcmp(file, f->file))
			printf("\n## %s%s\n\n| field | what the VE sees | from | tried |\n|---|---|---|---|\n",
			       strchr(f->file, '(') ? "" : "/proc/", f->file);
		file = f->file;
		print_row(f);
	}
	for (int i = 0; i < before[1].n; i++)
		if (strcmp(before[1].of[i].file, "vmstat") && !find(before[1].of[i].file, before[1].of[i].name))
			printf("\n%s %s: NOBODY HAS LOOKED AT THIS\n", before[1].of[i].file, before[1].of[i].name);
}

/* ---- on the node ----------------------------------------------------------- */

/* Its private tree is a project of its own, with limits. */
static void project(const struct env_ve *ve)
{
	struct dqblk q = { .dqb_bhardlimit = DISK / 1024, .dqb_ihardlimit = DISK_FILES, .dqb_valid = QIF_LIMITS };
	static const char *const dirs[] = { "", "/upper", "/work" };
	struct fsxattr x;
	char path[256];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		int fd;

		snprintf(path, sizeof(path), "%s%s", ve->private, dirs[i]);
		fd = open(path, O_RDONLY | O_DIRECTORY);
		if (fd < 0 || ioctl(fd, FS_IOC_FSGETXATTR, &x))
			die("%s", path);
		x.fsx_projid = ve->veid;
		x.fsx_xflags |= FS_XFLAG_PROJINHERIT;
		if (ioctl(fd, FS_IOC_FSSETXATTR, &x))
			die("project of %s", path);
		close(fd);
	}
	if (quotactl(QCMD(Q_SETQUOTA, PRJQUOTA), "/dev/vda", (int)ve->veid, (void *)&q))
		die("quota");
}

static void cap(const struct env_ve *ve, uint64_t ns)
{
	struct env_cpu cpu = { .cpus = 1, .cap = ns };

	if (env_ctl(ve->fd, ENV_CTL_CPU, &cpu, sizeof(cpu)))
		die("a cap");
}

static void look_under(const struct env_ve *ve, int kind)
{
	char *argv[] = { SELF, "--load", (char *)loads[kind].name, NULL };
	int in[2], out[2], proc;
	char c;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		die("pipe");
	look(ve, &before[kind]); /* what is left of the load before is not this one's */
	if (kind == CAPPED)
		cap(ve, 1000000000 / CAP);
	proc = env_run_with(ve, argv, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	if (proc < 0 || read(out[0], &c, 1) != 1 || c != 'r')
		die("the load %s", loads[kind].name);
	if (kind == HOG)
		sleep(LONG);
	if (kind == CAPPED)
		cap(ve, 0);
	look(ve, &with[kind]);
	close(in[1]);
	env_wait(proc);
	close(proc);
	close(out[0]);
}

int main(int argc, char **argv)
{
	static char *const init[] = { "/sbin/init", NULL };
	struct env_create_args args;
	struct env_ve ve;

	if (argc == 2 && !strcmp(argv[1], "--print"))
		return print_all();
	if (argc == 3 && !strcmp(argv[1], "--load"))
		return load(argv[2]);
	setlinebuf(stdout);
	env_require();
	before = calloc(LOADS, sizeof(*before));
	with = calloc(LOADS, sizeof(*with));
	if (!before || !with)
		die("memory");
	env_prepare(&ve, 810, TREE, &args, init);
	project(&ve);
	env_put(&ve, "/proc/self/exe", "views");
	ve.fd = env_create(&args, sizeof(args));
	if (ve.fd < 0)
		die("env_create");
	cap(&ve, 0);
	close(args.root_fd);
	env_bound(&ve, UB_PHYSPAGES, TOTAL / 4096);
	env_bound(&ve, UB_SWAPPAGES, SWAP / 4096);
	env_settle(&ve);
	for (int k = 1; k < LOADS; k++)
		look_under(&ve, k);
	print_table();
	env_destroy(&ve);
	return 0;
}
