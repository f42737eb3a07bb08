// SPDX-License-Identifier: GPL-2.0-only
/*
 * churn_test [CYCLES [WORKERS [storm]]]: VEs come, run something, are killed and
 * go, several at a time; then everything that they were made of is back at where
 * it was, but for what the slab allocator rounds by: a slab of each CPU.  With
 * "storm" what they run is in the midst of all sorts of things when they are killed.
 */
#include "envlib.h"
#include "tap.h"

#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STORM 100 /* processes */
#define TINY "/usr/share/ve/template/tiny"

/* Caches of what a VE consists of, from /proc/slabinfo */
static const char *const caches[] = {
	"net_namespace", "pid_namespace", "user_namespace", "uts_namespace",
	"mnt_cache", "nsproxy", "task_struct", "cred", "pid", "pid_2", "filp",
	"ovl_inode", "shmem_inode_cache", "proc_inode_cache", "sock_inode_cache",
	"signal_cache", "sighand_cache", "mm_struct", "kernfs_node_cache",
};
#define CACHES (sizeof(caches) / sizeof(caches[0]))

/* What lies in no cache of its own, in KiB of /proc/meminfo */
static const char *const sums[] = { "SUnreclaim:", "Percpu:" };
#define SUMS (sizeof(sums) / sizeof(sums[0]))
#define SUM_SLACK 2048

struct count {
	long objects[CACHES], a_slab[CACHES];
	long sums[SUMS];
	long cgroups, dying, mounts, ves;
};

static long read_stat(const char *name)
{
	char line[128];
	long v = -1, n;
	FILE *f = fopen("/sys/fs/cgroup/cgroup.stat", "r");
	char key[64];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %ld", key, &n) == 2 && !strcmp(key, name))
			v = n;
	if (f)
		fclose(f);
	return v;
}

static long lines_of(const char *path)
{
	char line[4096];
	long n = 0;
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f))
		n++;
	if (f)
		fclose(f);
	return n;
}

/*
 * A CPU that idles keeps the last address space that it ran a program in, and
 * with it a user namespace and its VE: be that program, on each of them.
 */
static void visit_cpus(void)
{
	cpu_set_t all, one;

	if (sched_getaffinity(0, sizeof(all), &all))
		die("affinity");
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (sched_setaffinity(0, sizeof(one), &one))
			die("affinity to CPU %d", cpu);
	}
	sched_setaffinity(0, sizeof(all), &all);
}

/* Where the kernel has the files: what KASAN keeps of each cache goes too. */
static void shrink_caches(void)
{
	glob_t files;

	if (glob("/sys/kernel/slab/*/shrink", 0, NULL, &files))
		return;
	for (size_t i = 0; i < files.gl_pathc; i++) {
		int fd = open(files.gl_pathv[i], O_WRONLY);

		if (fd < 0 || write(fd, "1", 1) != 1)
			die("%s", files.gl_pathv[i]);
		close(fd);
	}
	globfree(&files);
}

static void take(struct count *c)
{
	char line[512], name[64];
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	long active, each;
	FILE *f;

	visit_cpus();
	if (fd < 0 || write(fd, "3", 1) != 1)
		die("drop_caches");
	close(fd);
	shrink_caches();
	f = fopen("/proc/slabinfo", "r");
	if (!f)
		die("/proc/slabinfo");
	memset(c, 0, sizeof(*c));
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %ld %*d %*d %ld", name, &active, &each) != 3)
			continue;
		for (size_t i = 0; i < CACHES; i++) {
			if (!strcmp(name, caches[i])) {
				c->objects[i] = active;
				c->a_slab[i] = each;
			}
		}
	}
	fclose(f);
	f = fopen("/proc/meminfo", "r");
	if (!f)
		die("/proc/meminfo");
	while (fgets(line, sizeof(line), f))
		for (size_t i = 0; i < SUMS; i++)
			if (sscanf(line, "%63s %ld", name, &active) == 2 && !strcmp(name, sums[i]))
				c->sums[i] = active;
	fclose(f);
	c->cgroups = read_stat("nr_descendants");
	c->dying = read_stat("nr_dying_descendants");
	c->mounts = lines_of("/proc/self/mountinfo");
	c->ves = lines_of("/proc/ve");
}

/* As a warm pool does: made first, started later. */
static void start_held(struct env_ve *ve, unsigned int veid, char *const argv[])
{
	struct env_create_args args, held = { .flags = ENV_CREATE_HOLD };

	env_prepare(ve, veid, TINY, &args, argv);
	held.id_first = args.id_first;
	held.id_count = args.id_count;
	held.root_fd = held.cgroup_fd = held.acct_cgroup_fd = -1;
	args.id_first = args.id_count = 0;
	ve->fd = env_create(&held, sizeof(held));
	if (ve->fd < 0 || env_ctl(ve->fd, ENV_CTL_START, &args, sizeof(args)))
		die("a held VE");
	close(args.root_fd);
}

static uint64_t most_processes(const struct env_ve *ve)
{
	struct env_ubstat stats[UB_NUMPROC + 1];
	struct env_ubstats arg = { .stats = (uintptr_t)stats, .nr = UB_NUMPROC + 1 };

	if (env_ctl(ve->fd, ENV_CTL_UB_STAT, &arg, sizeof(arg)))
		die("UB_STAT");
	return stats[UB_NUMPROC].maxheld;
}

/*
 * Everything at once that makes objects of the kernel and takes them away, until
 * there are as many processes of it as @seed says; the VE is to be killed then.
 */
static void storm(const struct env_ve *ve, unsigned int *seed)
{
	static char *const argv[] = { "/bin/sh", "-c",
		"exec >/dev/null 2>&1; mkdir -p /tmp/a /tmp/b;"
		"while :; do mount -t tmpfs a /tmp/a; mkdir /tmp/a/x; mount --bind /tmp/a/x /tmp/b; umount /tmp/b; umount /tmp/a; done &"
		"while :; do unshare -m -i -u true; done &"
		"while :; do ip link set lo up; ip addr add 127.1.2.3/8 dev lo; ip addr del 127.1.2.3/8 dev lo; ip link set lo down; done &"
		"while :; do nc -l -p 99 & nc 127.0.0.1 99 </dev/zero; kill %1; done &"
		"while :; do cat /proc/[0-9]*/stat /proc/[0-9]*/maps /proc/net/* /proc/mounts /proc/user_beancounters; done &"
		"while :; do dd if=/dev/zero of=/root/x bs=64k count=64; rm /root/x; done &"
		"while :; do for i in 1 2 3 4 5 6 7 8; do echo x >/tmp/$i; done; mkfifo /tmp/p; rm /tmp/[1-8p]; done &"
		"while :; do sleep 9 | sleep 9 & kill -STOP $!; kill -CONT $!; kill -9 $!; done &"
		"while :; do hostname x; chroot / true; nice -n 5 true; date; done &"
		"f() { f | f & }; f; wait", NULL };
	static const struct timespec tick = { .tv_nsec = 1000000 };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), proc;
	uint64_t wanted = 12 + (uint64_t)rand_r(seed) % (STORM - 20);

	env_bound(ve, UB_NUMPROC, STORM);
	env_bound(ve, UB_PHYSPAGES, 8192);
	proc = env_run_with(ve, argv, null, null);
	if (null < 0 || proc < 0)
		die("a storm");
	for (int i = 0; most_processes(ve) < wanted; i++) {
		if (i > 60000)
			die("no storm of %d processes", (int)wanted);
		nanosleep(&tick, NULL);
	}
	close(proc);
	close(null);
}

static void cycles(unsigned int first, unsigned int n, bool stormy)
{
	static char *init[] = { "/sbin/init", NULL };
	unsigned int seed = first;
	struct env_ve ve;
	char out[64];

	for (unsigned int i = 0; i < n; i++) {
		if (i % 2)
			start_held(&ve, first + i % 100, init);
		else
			env_start(&ve, first + i % 100, TINY, init);
		if (stormy)
			storm(&ve, &seed);
		else
			env_sh(&ve, "echo x >/tmp/x; ls / >/dev/null", out, sizeof(out));
		env_destroy(&ve);
	}
}

static bool churn(unsigned int n, unsigned int workers, bool stormy)
{
	bool good = true;
	int status;

	for (unsigned int w = 0; w < workers; w++) {
		if (fork())
			continue;
		cycles(1000 * (w + 1), n / workers, stormy);
		_exit(0);
	}
	while (wait(&status) > 0)
		good &= !status;
	return good;
}

/*
 * Is @now no more than @before, but for a slab of each CPU and for the memory
 * cgroups whose charges it keeps at hand (of pages and of objects)?
 */
static bool settled(const struct count *before, const struct count *now, bool tell)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	bool good = now->cgroups <= before->cgroups && now->dying <= before->dying + 2 * cpus &&
		    now->mounts <= before->mounts && now->ves <= before->ves;

	if (tell)
		printf("# cgroups %ld %ld, dying %ld %ld, mounts %ld %ld, VEs %ld %ld\n",
		       before->cgroups, now->cgroups, before->dying, now->dying,
		       before->mounts, now->mounts, before->ves, now->ves);
	for (size_t i = 0; i < CACHES; i++) {
		bool fine = now->objects[i] <= before->objects[i] + cpus * now->a_slab[i];

		if (tell)
			printf("# %-20s %6ld %6ld%s\n", caches[i], before->objects[i],
			       now->objects[i], fine ? "" : "  LEFT");
		good &= fine;
	}
	for (size_t i = 0; i < SUMS; i++) {
		bool fine = now->sums[i] <= before->sums[i] + SUM_SLACK;

		if (tell)
			printf("# %-20s %6ld %6ld KiB%s\n", sums[i], before->sums[i],
			       now->sums[i], fine ? "" : "  LEFT");
		good &= fine;
	}
	return good;
}

int main(int argc, char **argv)
{
	unsigned int n = argc > 1 ? (unsigned int)atoi(argv[1]) : 400;
	unsigned int workers = argc > 2 ? (unsigned int)atoi(argv[2]) : 4;
	bool stormy = argc > 3 && !strcmp(argv[3], "storm");
	static const struct timespec moment = { .tv_nsec = 500000000 };
	struct count before, now;
	bool good = false;

	env_require();
	if (n < 100 || !workers)
		die("usage: churn_test [CYCLES >= 100 [WORKERS [storm]]]");
	churn(40, workers, stormy);
	for (int i = 0; i < 240 && lines_of("/proc/ve") > 1; i++) {
		visit_cpus();
		nanosleep(&moment, NULL);
	}
	take(&before);
	ok(churn(n, workers, stormy), "%u VEs came and went, %u at a time", n, workers);
	/* Networks are taken down behind the caller's back. */
	for (int i = 0; i < 240 && !good; i++) {
		nanosleep(&moment, NULL);
		take(&now);
		good = settled(&before, &now, false);
	}
	settled(&before, &now, true);
	ok(good, "nothing of them is left");
	return tap_done();
}
