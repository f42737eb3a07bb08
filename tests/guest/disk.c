// SPDX-License-Identifier: Apache-2.0
/*
 * The time of a disk is shared by the weights that the agent sets: two VEs that write all they can to a disk whose speed
 * is known get it in their proportion, and one alone gets all of it.
 *
 *   disk           on the node, private trees on a disk
 *   disk --write   in a VE
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "envlib.h"
#include "tap.h"

#define TREE "/usr/share/ve/template/tiny"
#define SELF "/root/disk"
#define GROUPS "/sys/fs/cgroup/ve"
#define PRIVATE "/var/lib/ve/private"
#define CHUNK 65536
#define FILE_SIZE (512 << 10)
#define WRITERS 4	  /* processes of each VE: its queue is never empty */
#define SPEED 8000000	  /* bytes a second that the disk is said to do */
#define SETTLE 5	  /* seconds until the files are there and the last weights forgotten */
#define LOOK 10

/* Over and over the same file, past the page cache. */
static int be_writer(void)
{
	char name[32];
	void *p = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd;

	snprintf(name, sizeof(name), "/root/data-%d", getpid());
	fd = open(name, O_WRONLY | O_CREAT | O_DIRECT, 0600);
	if (p == MAP_FAILED || fd < 0)
		die("%s", name);
	for (off_t at = 0;; at = (at + CHUNK) % FILE_SIZE)
		if (pwrite(fd, p, CHUNK, at) != CHUNK)
			die("writing %s", name);
}

static void put(const char *file, const char *fmt, unsigned int major, unsigned int minor)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || dprintf(fd, fmt, major, minor) < 0)
		die("%s", file);
	close(fd);
}

/* A disk of one speed: what the kernel would otherwise find out by itself. */
static void know_the_disk(void)
{
	struct stat st;

	if (stat(PRIVATE, &st))
		die(PRIVATE);
	put("/sys/fs/cgroup/io.cost.model",
	    "%u:%u ctrl=user model=linear rbps=8000000 rseqiops=1000 rrandiops=1000 wbps=8000000 wseqiops=1000 wrandiops=1000\n",
	    major(st.st_dev), minor(st.st_dev));
	put("/sys/fs/cgroup/io.cost.qos", "%u:%u enable=1 ctrl=user min=100.00 max=100.00\n", major(st.st_dev), minor(st.st_dev));
}

static void start(struct env_ve *ve, envid_t veid)
{
	static char *const init[] = { "/sbin/init", NULL };
	struct env_create_args args;

	env_prepare(ve, veid, TREE, &args, init);
	env_put(ve, "/proc/self/exe", "disk");
	ve->fd = env_create(&args, sizeof(args));
	if (ve->fd < 0)
		die("env_create %u", veid);
	close(args.root_fd);
}

static void weigh(const struct env_ve *ve, uint32_t weight)
{
	struct cgroup_fds g = { .ve = ve->acct, .init = -1, .enter = -1 };

	if (cgroup_io(&g, weight))
		die("the weight of VE %u", ve->veid);
}

static void write_all(const struct env_ve *ve, int *proc)
{
	char *argv[] = { SELF, "--write", NULL };

	for (int i = 0; i < WRITERS; i++)
		if ((proc[i] = env_run(ve, argv)) < 0)
			die("a writer in VE %u", ve->veid);
}

static void stop(int *proc)
{
	uint32_t sig = SIGKILL;

	for (int i = 0; i < WRITERS; i++) {
		env_ctl(proc[i], ENV_CTL_SIGNAL, &sig, sizeof(sig));
		env_wait(proc[i]);
		close(proc[i]);
	}
}

static double written(const struct env_ve *ve)
{
	char text[1024] = "", *at;
	int fd = openat(ve->acct, "io.stat", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		die("io.stat");
	close(fd);
	at = strstr(text, "wbytes=");
	return at ? strtod(at + strlen("wbytes="), NULL) : 0;
}

/* Milliseconds that it has waited for the disk, by which the agent knows that it is not idle. */
static int64_t waited(const struct env_ve *ve)
{
	int fd = openat(ve->acct, "io.pressure", O_RDONLY | O_CLOEXEC);
	int64_t ms = cgroup_disk_ms(fd);

	close(fd);
	return ms;
}

/* What each VE wrote a second; how long each waited in that time. */
static void measure(const struct env_ve *a, const struct env_ve *b, double *rate, int64_t *wait)
{
	sleep(SETTLE);
	wait[0] = waited(a);
	wait[1] = waited(b);
	rate[0] = written(a);
	rate[1] = written(b);
	sleep(LOOK);
	rate[0] = (written(a) - rate[0]) / LOOK;
	rate[1] = (written(b) - rate[1]) / LOOK;
	wait[0] = waited(a) - wait[0];
	wait[1] = waited(b) - wait[1];
	printf("# %.0f and %.0f bytes a second, waited %lld and %lld ms\n", rate[0], rate[1], (long long)wait[0], (long long)wait[1]);
}

static bool near(double got, double want)
{
	return got > want * 0.9 && got < want * 1.1;
}

int main(int argc, char **argv)
{
	int of_a[WRITERS], of_b[WRITERS], err;
	struct env_ve a, b;
	double rate[2];
	int64_t wait[2];

	if (argc == 2 && !strcmp(argv[1], "--write"))
		return be_writer();
	setlinebuf(stdout);
	env_require();
	err = cgroup_io_on(GROUPS, PRIVATE);
	if (!ok(!err, "the disk's time is shared by weight"))
		printf("# %s\n", strerror(-err));
	know_the_disk();
	start(&a, 820);
	start(&b, 821);
	weigh(&a, 100);
	weigh(&b, 300);
	write_all(&a, of_a);
	write_all(&b, of_b);
	measure(&a, &b, rate, wait);
	ok(near(rate[1] / rate[0], 3), "a VE of three times the weight writes three times as much");
	ok(rate[0] + rate[1] > SPEED * 0.7 && rate[0] + rate[1] < SPEED * 1.1, "together they have the disk");
	weigh(&a, 300);
	measure(&a, &b, rate, wait);
	ok(near(rate[1] / rate[0], 1), "of the same weight they write the same, from then on");
	stop(of_b);
	measure(&a, &b, rate, wait);
	ok(rate[0] > SPEED * 0.7 && rate[1] < CHUNK, "and one alone has what the other leaves");
	ok(wait[0] > LOOK * 1000 / 50 && wait[1] < LOOK * 1000 / 50, "who writes is seen to wait for the disk, who does nothing is not");
	stop(of_a);
	env_destroy(&a);
	env_destroy(&b);
	return tap_done();
}
