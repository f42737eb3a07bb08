// SPDX-License-Identifier: Apache-2.0
/*
 * How exactly CPU time follows weights: GROUPS busy groups with the weights 1:2:3:4 and one to three processes
 * each.  See fair.sh.
 *
 *   bench_fair --ve SECONDS METRIC MODE SUBJECT      the groups are VEs
 *   bench_fair --cgroup SECONDS METRIC MODE SUBJECT  they are cgroups of a kernel without VEs
 *
 * Prints what tests/bench/run reads: the root of the mean square of each group's error against its share, in percent.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "envlib.h"

#define TREE "/usr/share/ve/template/tiny"
#define BUSY "read begin; while :; do :; done"
#define GROUPS 100
#define WARM_UP 20 /* seconds until all have begun and the balance between CPUs has settled */

static int group[GROUPS];	/* directories of their cgroups */
static struct env_ve ves[GROUPS];
static int gate[2];		/* a pipe: all begin when its end is closed */

static unsigned int weight_of(int i)
{
	return 1 + (unsigned int)i % 4;
}

static int processes_of(int i)
{
	return 1 + i % 3;
}

static void start_ves(void)
{
	static char *const init[] = { "/sbin/init", NULL };
	static char *const busy[] = { "/bin/sh", "-c", BUSY, NULL };

	for (int i = 0; i < GROUPS; i++) {
		struct env_cpu cpu = { .weight = 100 * weight_of(i) };

		env_start(&ves[i], (envid_t)(1000 + i), TREE, init);
		group[i] = ves[i].acct;
		if (env_ctl(ves[i].fd, ENV_CTL_CPU, &cpu, sizeof(cpu)))
			die("the weight of VE %u", ves[i].veid);
	}
	for (int i = 0; i < GROUPS; i++)
		for (int n = 0; n < processes_of(i); n++)
			if (env_run_with(&ves[i], busy, gate[0], 1) < 0)
				die("a process of VE %u", ves[i].veid);
}

static void put(int dir, const char *file, const char *fmt, long value)
{
	int fd = openat(dir, file, O_WRONLY);

	if (fd < 0 || dprintf(fd, fmt, value) < 0)
		die("%s", file);
	close(fd);
}

static void start_cgroups(void)
{
	for (int i = 0; i < GROUPS; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/sys/fs/cgroup/ve/%d", 1000 + i);
		if (mkdir(path, 0755) || (group[i] = open(path, O_RDONLY | O_DIRECTORY)) < 0)
			die("%s", path);
		put(group[i], "cpu.weight", "%ld", 100 * (long)weight_of(i));
	}
	for (int i = 0; i < GROUPS; i++)
		for (int n = 0; n < processes_of(i); n++) {
			int pid = fork();

			if (!pid) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				put(group[i], "cgroup.procs", "%ld", 0);
				dup2(gate[0], 0);
				execl("/bin/sh", "sh", "-c", BUSY, NULL);
				_exit(1);
			}
			if (pid < 0)
				die("fork");
		}
}

static double usage(int dir)
{
	int fd = openat(dir, "cpu.stat", O_RDONLY);
	char text[1024] = "", *at;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 || !(at = strstr(text, "usage_usec ")))
		die("cpu.stat");
	close(fd);
	return strtod(at + strlen("usage_usec "), NULL);
}

int main(int argc, char **argv)
{
	double used[GROUPS], all = 0, weights = 0, squares = 0;
	bool ve = argc == 6 && !strcmp(argv[1], "--ve");

	if (argc != 6 || (!ve && strcmp(argv[1], "--cgroup"))) {
		fputs("usage: bench_fair --ve|--cgroup SECONDS METRIC MODE SUBJECT\n", stderr);
		return 2;
	}
	if (pipe2(gate, O_CLOEXEC))
		die("pipe");
	if (ve)
		start_ves();
	else
		start_cgroups();
	close(gate[1]);
	sleep(WARM_UP);
	for (int i = 0; i < GROUPS; i++)
		used[i] = usage(group[i]);
	sleep((unsigned int)atoi(argv[2]));
	for (int i = 0; i < GROUPS; i++) {
		used[i] = usage(group[i]) - used[i];
		all += used[i];
		weights += weight_of(i);
	}
	for (int i = 0; i < GROUPS; i++) {
		double error = used[i] / (all * weight_of(i) / weights) - 1;

		squares += error * error;
	}
	printf("%s %s %s percent %.3f\n", argv[3], argv[4], argv[5], 100 * sqrt(squares / GROUPS));
	return 0;
}
