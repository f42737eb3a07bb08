// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VE is told of memory, CPUs, time and load is its own; CPU caps.
 */
#include "envlib.h"
#include "tap.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TINY "/usr/share/ve/template/tiny"
#define MB (1024L * 1024)

static char *init[] = { "/sbin/init", NULL };
static char out[65536];

static long number(const struct env_ve *ve, const char *script)
{
	if (env_sh(ve, script, out, sizeof(out)))
		printf("# %s: %s", script, out);
	return atol(out);
}

static long meminfo(const struct env_ve *ve, const char *name)
{
	char script[128];

	snprintf(script, sizeof(script), "sed -n 's/^%s: *//p' /proc/meminfo", name);
	return number(ve, script);
}

static int cpu(const struct env_ve *ve, uint32_t weight, uint32_t cpus, uint64_t cap)
{
	struct env_cpu c = { .weight = weight, .cpus = cpus, .cap = cap };

	return env_ctl(ve->fd, ENV_CTL_CPU, &c, sizeof(c));
}

static void test_memory(const struct env_ve *ve)
{
	long total, free1, free2, all;

	env_bound(ve, UB_SWAPPAGES, 0);
	all = number(ve, "sed -n 's/^MemTotal: *//p' /proc/meminfo");
	env_bound(ve, UB_PHYSPAGES, 64 * MB / 4096);
	total = meminfo(ve, "MemTotal");
	if (!ok(total == 65536 && all > total, "MemTotal is the VE's limit"))
		printf("# %ld kB, before %ld\n", total, all);
	ok(meminfo(ve, "SwapTotal") == 0, "SwapTotal is the VE's");
	free1 = meminfo(ve, "MemFree");
	env_sh(ve, "dd if=/dev/zero of=/run/blob bs=1M count=12 2>/dev/null", out, sizeof(out));
	free2 = meminfo(ve, "MemFree");
	if (!ok(labs(free1 - free2 - 12288) < 1024, "12 MB more in use are 12 MB less free"))
		printf("# free %ld kB, then %ld\n", free1, free2);
	if (!ok(labs(meminfo(ve, "Shmem") - 12288) < 1024, "Shmem knows what they are"))
		printf("# %ld\n", meminfo(ve, "Shmem"));
	ok(labs(number(ve, "free -k | sed -n 's/^Mem: *\\([0-9]*\\).*/\\1/p'") - 65536) < 64,
	   "free(1), which asks sysinfo(2) and the file, says the same");
	ok(number(ve, "grep '^nr_free_pages' /proc/vmstat | cut -d' ' -f2") * 4 <= 65536,
	   "/proc/vmstat does too");
	env_sh(ve, "rm /run/blob", out, sizeof(out));
	if (!ok(labs(meminfo(ve, "MemFree") - free1) < 1024, "and free again when they are gone"))
		printf("# %ld\n", meminfo(ve, "MemFree"));
	env_bound(ve, UB_PHYSPAGES, UB_MAXVALUE);
}

static void test_cpus(const struct env_ve *ve)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	ok(number(ve, "nproc") == cpus, "without a number a VE sees all CPUs");
	ok(!cpu(ve, 0, 1, 0), "it can be shown one");
	ok(number(ve, "nproc") == 1, "nproc(1), which asks for the affinity, sees one");
	ok(number(ve, "grep -c ^processor /proc/cpuinfo") == 1, "/proc/cpuinfo has one");
	ok(number(ve, "grep -c '^cpu[0-9]' /proc/stat") == 1, "/proc/stat has one");
	refused(cpu(ve, 0, 4096, 0), EINVAL, "more CPUs than there are");
	refused(cpu(ve, 10001, 0, 0), EINVAL, "a weight over the maximum");
	refused(cpu(ve, 0, 0, 1), EINVAL, "a cap of next to nothing");
	refused(cpu(ve, 0, 0, 1000000000ULL * 4096), EINVAL, "a cap over all there is");
	ok(!cpu(ve, 0, 0, 0) && number(ve, "nproc") == cpus, "and all again");
	ok(!cpu(ve, 250, 0, 0), "a weight");
	if (!ok(env_sh(ve, "true", out, sizeof(out)) == 0, "the VE goes on"))
		printf("# %s\n", out);
}

static void test_time(const struct env_ve *ve)
{
	struct timespec now;
	long up, first, second, started;

	clock_gettime(CLOCK_BOOTTIME, &now);
	up = number(ve, "cut -d. -f1 /proc/uptime");
	ok(up >= 0 && up < now.tv_sec, "uptime counts from the VE's start");
	started = number(ve, "cut -d' ' -f22 /proc/1/stat");
	if (!ok(started >= 0 && started < 100, "init started when it began"))
		printf("# %ld ticks after\n", started);
	ok(number(ve, "b=$(sed -n 's/^btime //p' /proc/stat); n=$(date +%s);"
		      "u=$(cut -d. -f1 /proc/uptime); d=$((n - b - u)); echo ${d#-}") <= 1,
	   "btime and uptime make now");
	first = number(ve, "sed -n 's/^cpu *\\([0-9]*\\) .*/\\1/p' /proc/stat");
	env_sh(ve, "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done", out, sizeof(out));
	second = number(ve, "sed -n 's/^cpu *\\([0-9]*\\) .*/\\1/p' /proc/stat");
	if (!ok(second > first, "its own CPU time grows with its own work"))
		printf("# %ld, then %ld\n", first, second);
	ok(number(ve, "sed -n 's/^processes //p' /proc/stat") < 10000, "it counts its own processes");
}

static void test_load(const struct env_ve *a, const struct env_ve *b)
{
	env_settle(b);
	ok(number(b, "cut -d. -f1 /proc/loadavg") == 0, "an idle VE has no load");
	env_sh(a, "rm -f /tmp/hogs; for i in 1 2 3; do (while :; do :; done) >/dev/null 2>&1 & echo $! >>/tmp/hogs; done", out, sizeof(out));
	if (!ok(number(a, "cut -d. -f1 /proc/loadavg") == 3, "three that run are a load of three"))
		printf("# %s", out);
	ok(number(b, "cut -d. -f1 /proc/loadavg") == 0, "of the VE that has them");
	ok(number(a, "uptime | sed 's/.*load average: //; s/\\..*//'") == 3, "uptime(1), which asks sysinfo(2), says so too");
	ok(number(a, "cut -d/ -f1 /proc/loadavg | cut -d' ' -f4") >= 4, "and that they run");
	env_sh(a, "kill $(cat /tmp/hogs)", out, sizeof(out));
}

static long cpu_usec(const struct env_ve *ve)
{
	char text[512] = "";
	int fd = openat(ve->acct, "cpu.stat", O_RDONLY);
	char *p;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		die("cpu.stat");
	close(fd);
	p = strstr(text, "usage_usec ");
	return p ? atol(p + 11) : -1;
}

static long now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Of three seconds, how many per cent of one CPU the VE's hogs had. */
static long share(const struct env_ve *ve)
{
	long t = now_usec(), used = cpu_usec(ve);

	usleep(3000000);
	return (cpu_usec(ve) - used) * 100 / (now_usec() - t);
}

static void test_cap(const struct env_ve *ve)
{
	long free_share, capped, steal;

	env_sh(ve, "rm -f /tmp/hogs; for i in 1 2 3; do (while :; do :; done) >/dev/null 2>&1 & echo $! >>/tmp/hogs; done", out, sizeof(out));
	free_share = share(ve);
	ok(!cpu(ve, 0, 0, 200000000), "a cap of 20 per cent of a CPU");
	share(ve);
	capped = share(ve);
	steal = number(ve, "sed -n 's/^cpu  *//p' /proc/stat | cut -d' ' -f8");
	if (!ok(capped < free_share / 2 && capped <= 24 && capped >= 12, "is what it gets"))
		printf("# %ld %%, without %ld %%\n", capped, free_share);
	if (!ok(steal > 0, "and what it misses is stolen time"))
		printf("# %ld\n", steal);
	ok(!env_sh(ve, "kill $(cat /tmp/hogs); while kill -0 $(head -n 1 /tmp/hogs) 2>/dev/null; do sleep 0.1; done",
		   out, sizeof(out)), "who waits for CPU can be killed");
	ok(!cpu(ve, 0, 0, 0), "without the cap");
	env_sh(ve, "(while :; do :; done) >/dev/null 2>&1 & echo $! >/tmp/hogs", out, sizeof(out));
	if (!ok(share(ve) > 40, "it has what there is"))
		printf("# not\n");
	env_sh(ve, "kill $(cat /tmp/hogs)", out, sizeof(out));
}

/* Figures that may only rise: times of each line of /proc/stat, forks, both of /proc/uptime. */
struct figures {
	unsigned long long line[3][8], processes, up, idle;
	int lines;
};

static void figures_read(const struct env_ve *ve, struct figures *f)
{
	double up, idle;
	char *at;

	*f = (struct figures){};
	if (env_sh(ve, "cat /proc/stat /proc/uptime", out, sizeof(out)))
		die("/proc/stat");
	for (at = out; f->lines < 3 && !strncmp(at, "cpu", 3); at = strchr(at, '\n') + 1) {
		unsigned long long *v = f->line[f->lines++];

		if (sscanf(at, "%*s %llu %llu %llu %llu %llu %llu %llu %llu", v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6,
			   v + 7) != 8)
			die("%s", at);
	}
	at = strstr(out, "\nprocesses ");
	if (!at || sscanf(at, " processes %llu", &f->processes) != 1)
		die("processes");
	at = strstr(out, "\nsoftirq");
	if (!at || sscanf(strchr(at + 1, '\n'), "%lf %lf", &up, &idle) != 2)
		die("uptime");
	f->up = (unsigned long long)(up * 100);
	f->idle = (unsigned long long)(idle * 100);
}

static int fallen(const struct figures *a, const struct figures *b)
{
	int n = (b->processes < a->processes) + (b->up < a->up) + (b->idle < a->idle);

	for (int i = 0; i < a->lines && i < b->lines; i++)
		for (int k = 0; k < 8; k++)
			n += b->line[i][k] < a->line[i][k];
	return n;
}

/* Two hogs on what seem to be now two CPUs, now one, with a cap and without; then none. */
static void test_monotonic(const struct env_ve *ve)
{
	struct figures was, is, busy = {};
	int falls = 0;

	cpu(ve, 0, 2, 0);
	env_sh(ve, "rm -f /tmp/hogs; for i in 1 2; do (while :; do :; done) >/dev/null 2>&1 & echo $! >>/tmp/hogs; done", out, sizeof(out));
	figures_read(ve, &was);
	for (int i = 0; i < 60; i++) {
		cpu(ve, 0, i % 20 < 10 ? 1 : 2, i % 10 < 5 ? 0 : 300000000);
		if (i == 40)
			env_sh(ve, "kill $(cat /tmp/hogs)", out, sizeof(out));
		figures_read(ve, &is);
		if (i == 40)
			busy = is;
		if (fallen(&was, &is) && !falls++)
			printf("# at %d: idle %llu, then %llu; %llu, then %llu\n", i, was.line[0][3], is.line[0][3],
			       was.idle, is.idle);
		was = is;
	}
	ok(!falls, "no time falls while there is more load than CPUs, and their number changes");
	/* What was used beyond the time there was comes off first: 0.1 s of a line at most. */
	for (int i = 0; i < 500 && (is.line[0][3] <= busy.line[0][3] || is.idle <= busy.idle); i++) {
		usleep(10000);
		figures_read(ve, &is);
	}
	ok(is.line[0][3] > busy.line[0][3] && is.idle > busy.idle, "and when the load has gone, idle rises");
	cpu(ve, 0, 0, 0);
}

/* More forks than there are numbers of processes: the count goes on. */
static void test_forks(const struct env_ve *ve)
{
	struct figures before, after;
	char was[32] = "";
	FILE *f = fopen("/proc/sys/kernel/pid_max", "r+");

	if (!f || !fgets(was, sizeof(was), f) || fseek(f, 0, SEEK_SET) || fputs("1000", f) < 0 || fflush(f))
		die("pid_max");
	figures_read(ve, &before);
	env_sh(ve, "i=0; while [ $i -lt 1500 ]; do (:); i=$((i + 1)); done", out, sizeof(out));
	figures_read(ve, &after);
	if (fseek(f, 0, SEEK_SET) || fputs(was, f) < 0 || fclose(f))
		die("pid_max");
	if (!ok(after.processes >= before.processes + 1500 && after.processes < before.processes + 1600,
		"each fork is counted, also when numbers begin again"))
		printf("# from %llu to %llu\n", before.processes, after.processes);
}

static void test_pressure(const struct env_ve *ve)
{
	ok(!env_sh(ve, "cat /proc/pressure/memory", out, sizeof(out)) && strstr(out, "some avg10="),
	   "pressure is told");
	ok(env_sh(ve, "echo 'some 150000 1000000' >/proc/pressure/memory", out, sizeof(out)),
	   "but not written");
}

int main(void)
{
	struct env_ve a, b, c;

	env_require();
	env_start(&a, 601, TINY, init);
	env_start(&b, 602, TINY, init);
	test_memory(&a);
	test_cpus(&a);
	test_time(&a);
	env_start(&c, 603, TINY, init);
	test_load(&b, &c); /* of these two nobody has asked yet */
	env_destroy(&c);
	test_cap(&a);
	test_monotonic(&a);
	test_forks(&a);
	test_pressure(&a);
	env_destroy(&a);
	env_destroy(&b);
	return tap_done();
}
