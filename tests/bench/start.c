// SPDX-License-Identifier: Apache-2.0
/*
 * From nothing to the first byte that a process inside says, and on to where nothing is left: ours beside
 * other ways to start the same program on the same tree.  Runs in a guest, see start.sh.
 *
 *   bench_start once MODE SAMPLES      first_byte and cycle, subjects interleaved
 *   bench_start rate MODE ROUNDS       rate_1, rate_2, rate_4
 *   bench_start drift MODE CYCLES      memory that CYCLES starts and ends leave behind
 *
 * Prints what tests/bench/run reads.  A clock that counts instructions (-icount shift=0) makes the
 * nanoseconds of MODE icount instructions.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "envlib.h"

#define TREE "/usr/share/ve/template/tiny"
#define PRIVATE "/var/lib/ve/private"
#define CGROUPS "/sys/fs/cgroup/ve"
#define WORKERS_MAX 4

static const char *mode, *unit;
static char *said[] = { "/bin/first", NULL };

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* One start: what it is called, and when its first byte and its end came. */
struct run {
	unsigned int id;	/* names what it makes; its own in this process */
	uint64_t begin, first, end;
	char cgroup[64], dir[64];
	bool failed;		/* another's program did not run */
};

static void read_byte(struct run *r, int fd)
{
	char c;

	if (read(fd, &c, 1) != 1 || c != 'x')
		die("run %u: the program inside said nothing", r->id);
	r->first = now();
}

static void put(int dir, const char *file, const char *text)
{
	int fd = openat(dir, file, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("%s", file);
	close(fd);
}

/* A cgroup, and the limits that a VE has; both sides make them alike. */
static int make_cgroup(struct run *r)
{
	int fd;

	snprintf(r->cgroup, sizeof(r->cgroup), CGROUPS "/b%u", r->id);
	if (mkdir(r->cgroup, 0755))
		die("%s", r->cgroup);
	fd = open(r->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die("%s", r->cgroup);
	return fd;
}

static void set_limits(int cgroup)
{
	put(cgroup, "memory.max", "134217728");
	put(cgroup, "pids.max", "128");
	put(cgroup, "cpu.weight", "100");
}

static void make_private(struct run *r)
{
	snprintf(r->dir, sizeof(r->dir), PRIVATE "/b%u", r->id);
	if (mkdir(r->dir, 0755))
		die("%s", r->dir);
}

static void remove_private(const struct run *r)
{
	static const char *const parts[] = { "/upper", "/work/work", "/work", "" };
	char path[80];

	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", r->dir, parts[i]);
		if (rmdir(path) && errno != ENOENT)
			die("%s", path);
	}
}

static void remove_cgroup(const struct run *r)
{
	if (rmdir(r->cgroup))
		die("%s", r->cgroup);
}

/* ---- ours --------------------------------------------------------------- */

#define ID_FIRST(r) (1000000u + (r)->id % 8192 * 65536)

/* What the agent makes ahead: the namespaces and the control group. */
static int hold(struct run *r, int *userns, int *cgroup)
{
	struct env_create_args held = {
		.flags = ENV_CREATE_HOLD,
		.id_first = ID_FIRST(r),
		.id_count = 65536,
		.root_fd = -1, .cgroup_fd = -1, .acct_cgroup_fd = -1,
	};
	int fd = env_create(&held, sizeof(held));

	if (fd < 0)
		die("hold");
	*userns = env_ctl(fd, ENV_CTL_OPEN_USER, NULL, 0);
	if (*userns < 0)
		die("user namespace");
	*cgroup = make_cgroup(r);
	return fd;
}

static void start(struct run *r, int ve, int userns, int cgroup)
{
	struct env_fdmap map = { .dst = 1 };
	struct env_create_args args = { .veid = r->id };
	struct env_info info;
	int p[2];

	set_limits(cgroup);
	make_private(r);
	if (pipe2(p, O_CLOEXEC))
		die("pipe");
	map.src = p[1];
	args.root_fd = env_mount_root(TREE, r->dir, ID_FIRST(r), userns);
	args.cgroup_fd = args.acct_cgroup_fd = cgroup;
	args.init.path = (uintptr_t)said[0];
	args.init.argv = (uintptr_t)said;
	args.init.fds = (uintptr_t)&map;
	args.init.nr_fds = 1;
	if (env_ctl(ve, ENV_CTL_START, &args, sizeof(args)))
		die("start");
	close(p[1]);
	read_byte(r, p[0]);
	close(args.root_fd);
	close(userns);
	while (!(env_poll(ve, POLLIN, 10000) & POLLHUP))
		env_ctl(ve, ENV_CTL_QUERY, &info, sizeof(info));
	close(ve);
	close(p[0]);
	close(cgroup);
	remove_cgroup(r);
	remove_private(r);
}

static void run_cold(struct run *r)
{
	int ve, userns, cgroup;

	r->begin = now();
	ve = hold(r, &userns, &cgroup);
	start(r, ve, userns, cgroup);
	r->end = now();
}

static void run_held(struct run *r)
{
	int userns, cgroup, ve = hold(r, &userns, &cgroup);

	r->begin = now();
	start(r, ve, userns, cgroup);
	r->end = now();
}

/* ---- a floor of stock namespaces ---------------------------------------- */

static void floor_child(const struct run *r, int out)
{
	char data[256], path[80];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", r->dir, i ? "work" : "upper");
		if (mkdir(path, 0755))
			die("%s", path);
	}
	snprintf(data, sizeof(data), "lowerdir=" TREE ",upperdir=%s/upper,workdir=%s/work",
		 r->dir, r->dir);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("overlay", "/mnt", "overlay", 0, data) || chdir("/mnt") ||
	    mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) ||
	    mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666") ||
	    mount("tmpfs", "run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") ||
	    syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) ||
	    sethostname("floor", 5) || dup2(out, 1) < 0)
		die("floor");
	execv(said[0], said);
	die("exec");
}

static void run_stock(struct run *r, uint64_t more)
{
	struct clone_args ca = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC |
			 CLONE_NEWCGROUP | CLONE_INTO_CGROUP | more,
		.exit_signal = SIGCHLD,
	};
	int p[2], cgroup, pid;

	r->begin = now();
	cgroup = make_cgroup(r);
	set_limits(cgroup);
	make_private(r);
	if (pipe2(p, O_CLOEXEC))
		die("pipe");
	ca.cgroup = (uint64_t)cgroup;
	pid = (int)syscall(SYS_clone3, &ca, sizeof(ca));
	if (pid < 0)
		die("clone3");
	if (!pid)
		floor_child(r, p[1]);
	close(p[1]);
	read_byte(r, p[0]);
	waitpid(pid, NULL, 0);
	close(p[0]);
	close(cgroup);
	remove_cgroup(r);
	remove_private(r);
	r->end = now();
}

static void run_floor(struct run *r)
{
	run_stock(r, 0);
}

static void run_floor_netns(struct run *r)
{
	run_stock(r, CLONE_NEWNET);
}

/* ---- programs that others wrote ----------------------------------------- */

static void run_program(struct run *r, char *const argv[])
{
	int p[2], pid, status;
	char c;

	r->begin = now();
	if (pipe2(p, O_CLOEXEC))
		die("pipe");
	pid = vfork();
	if (!pid) {
		dup2(p[1], 1);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(p[1]);
	r->failed = read(p[0], &c, 1) != 1;
	r->first = now();
	waitpid(pid, &status, 0);
	close(p[0]);
	r->failed |= status != 0;
	r->end = now();
}

static void run_oci(struct run *r, char *runtime)
{
	char id[16];
	char *crun[] = { runtime, "--cgroup-manager=cgroupfs", "run", "-b", "/bundle", id, NULL };
	char *runc[] = { runtime, "run", "-b", "/bundle", id, NULL };

	snprintf(id, sizeof(id), "b%u", r->id);
	run_program(r, !strcmp(runtime, "crun") ? crun : runc);
}

static void run_crun(struct run *r)
{
	run_oci(r, "crun");
}

static void run_runc(struct run *r)
{
	run_oci(r, "runc");
}

static void run_bwrap(struct run *r)
{
	static char *argv[] = { "bwrap", "--unshare-all", "--ro-bind", TREE, "/", "--proc",
				"/proc", "--dev", "/dev", "--tmpfs", "/run", "--hostname",
				"floor", "/bin/first", NULL };

	run_program(r, argv);
}

/* ---- the measurements --------------------------------------------------- */

static struct subject {
	const char *name;
	void (*run)(struct run *r);
	unsigned int cycles; /* of each worker in a round of `rate` */
	bool failed;
} subjects[] = {
	{ .name = "vestibule", .run = run_cold, .cycles = 20 },
	{ .name = "vestibule_held", .run = run_held, .cycles = 20 },
	{ .name = "crun", .run = run_crun, .cycles = 3 },
	{ .name = "runc", .run = run_runc, .cycles = 1 },
	{ .name = "bwrap", .run = run_bwrap, .cycles = 6 },
	{ .name = "floor_netns", .run = run_floor_netns, .cycles = 20 },
	{ .name = "floor", .run = run_floor, .cycles = 20 },
};
#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

static void row(const char *metric, const char *subject, const char *u, double v)
{
	printf("%s %s %s %s %.0f\n", metric, mode, subject, u, v);
	fflush(stdout);
}

static void want(const char *metric, const char *u)
{
	for (size_t s = 0; s < SUBJECTS; s++)
		printf("%s %s %s %s want\n", metric, mode, subjects[s].name, u);
}

static void fail(struct subject *s, const char *metric, const char *other)
{
	s->failed = true;
	printf("%s %s %s %s error it did not run here\n", metric, mode, s->name, unit);
	printf("%s %s %s %s error it did not run here\n", other, mode, s->name, unit);
}

/*
 * What a run leaves to be done after its end (workers that tear down, RCU) is not the next one's to
 * pay: wait until the machine has slept through two pauses of ten ticks.
 */
static void settle(void)
{
	unsigned long long before = 0;

	for (int slept = 0; slept < 2;) {
		unsigned long long user, nice, system, idle, iowait, irq, softirq, busy;
		FILE *f = fopen("/proc/stat", "r");

		if (!f || fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system,
				 &idle, &iowait, &irq, &softirq) != 7)
			die("/proc/stat");
		fclose(f);
		busy = user + nice + system + irq + softirq;
		slept = busy == before ? slept + 1 : 0;
		before = busy;
		nanosleep(&(struct timespec){ .tv_nsec = 40000000 }, NULL);
	}
}

static void once(int samples)
{
	const struct sched_param first = { .sched_priority = 1 };
	unsigned int id = 1000;

	/* Whoever measures runs when a byte is there, not when what wrote it is done. */
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first))
		die("real-time priority");
	want("first_byte", unit);
	want("cycle", unit);
	for (int i = -2; i < samples; i++) {
		for (size_t s = 0; s < SUBJECTS; s++) {
			struct run r = { .id = id++ };

			if (subjects[s].failed)
				continue;
			settle();
			subjects[s].run(&r);
			if (r.failed)
				fail(&subjects[s], "first_byte", "cycle");
			if (r.failed || i < 0)	/* then caches are warm for all */
				continue;
			row("first_byte", subjects[s].name, unit, (double)(r.first - r.begin));
			row("cycle", subjects[s].name, unit, (double)(r.end - r.begin));
		}
	}
}

static void rate_round(const struct subject *s, int workers)
{
	char metric[16];
	uint64_t begin, end;
	int go[2], pids[WORKERS_MAX];
	bool failed = false;

	if (pipe(go))
		die("pipe");
	for (int w = 0; w < workers; w++) {
		pids[w] = fork();
		if (pids[w])
			continue;
		close(go[1]);
		read(go[0], &(char){ 0 }, 1);
		for (unsigned int i = 0; i < s->cycles; i++) {
			struct run r = { .id = 100000u + (unsigned int)w * 1000 + i };

			s->run(&r);
			if (r.failed)
				_exit(1);
		}
		_exit(0);
	}
	close(go[0]);
	begin = now();
	close(go[1]);
	for (int w = 0; w < workers; w++) {
		int status;

		waitpid(pids[w], &status, 0);
		failed |= status != 0;
	}
	end = now();
	snprintf(metric, sizeof(metric), "rate_%d", workers);
	if (failed) {
		printf("%s %s %s 1/s error it did not run here\n", metric, mode, s->name);
		return;
	}
	printf("%s %s %s 1/s %.2f\n", metric, mode, s->name,
	       workers * s->cycles * 1e9 / (double)(end - begin));
	fflush(stdout);
}

static void rates(int rounds)
{
	want("rate_1", "1/s");
	want("rate_2", "1/s");
	want("rate_4", "1/s");
	for (int i = 0; i < rounds; i++)
		for (size_t s = 0; s < SUBJECTS; s++)
			for (int workers = 1; workers <= WORKERS_MAX; workers *= 2)
				rate_round(&subjects[s], workers);
}

/* The sum of what FORMAT finds in the lines of FILE. */
static long sum_of(const char *file, const char *format)
{
	long sum = 0, value;
	char line[256];
	FILE *f = fopen(file, "r");

	if (!f)
		die(file);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, format, &value) == 1)
			sum += value;
	fclose(f);
	return sum;
}

/*
 * Memory that is nobody's to give back, in KiB, once it has come to rest.  Free pages that wait in the list of
 * a CPU are free (proc_meminfo(5) does not count them as such, and the lists grow to megabytes and shrink).
 */
static double memory_used(void)
{
	long total = sum_of("/proc/meminfo", "MemTotal: %ld"), page = sysconf(_SC_PAGESIZE) / 1024, last = -1, used;
	FILE *f;

	for (int same = 0; same < 5;) {
		f = fopen("/proc/sys/vm/drop_caches", "w");
		if (!f || fputs("3", f) < 0 || fclose(f))
			die("drop_caches");
		used = total - sum_of("/proc/meminfo", "MemFree: %ld") - page * sum_of("/proc/zoneinfo", " count: %ld");
		same = labs(used - last) < 64 ? same + 1 : 0;
		last = used;
		nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
	}
	return (double)last;
}

/*
 * What CYCLES starts and ends leave, and each fifth of them: what leaks leaks in every fifth, what only settles
 * (slabs that are part full, per-CPU chunks) does not.
 */
static void drift(int cycles)
{
	enum { WARM_UP = 100, FIFTHS = 5 };

	unit = "KiB";
	want("drift", unit);
	want("drift_fifth", unit);
	want("used_before", unit);
	want("used_after", unit);
	for (size_t s = 0; s < SUBJECTS; s++) {
		const char *name = subjects[s].name;
		double used[FIFTHS + 1];
		int done = -WARM_UP;

		for (int i = 0; i <= FIFTHS && !subjects[s].failed; i++) {
			for (; done < cycles * i / FIFTHS && !subjects[s].failed; done++) {
				struct run r = { .id = 200000u + (unsigned int)(done & 1023) };

				subjects[s].run(&r);
				if (r.failed)
					fail(&subjects[s], "drift", "drift_fifth");
			}
			used[i] = memory_used();
			if (i)
				row("drift_fifth", name, unit, used[i] - used[i - 1]);
		}
		if (subjects[s].failed)
			continue;
		row("drift", name, unit, used[FIFTHS] - used[0]);
		row("used_before", name, unit, used[0]);
		row("used_after", name, unit, used[FIFTHS]);
	}
}

int main(int argc, char **argv)
{
	env_require();
	if (argc != 4)
		die("usage: bench_start once|rate|drift MODE COUNT");
	mode = argv[2];
	unit = !strcmp(mode, "icount") ? "instructions" : "ns";
	if (!strcmp(argv[1], "once"))
		once(atoi(argv[3]));
	else if (!strcmp(argv[1], "rate"))
		rates(atoi(argv[3]));
	else
		drift(atoi(argv[3]));
	return 0;
}
