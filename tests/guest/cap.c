// SPDX-License-Identifier: Apache-2.0
/*
 * A VE that has had its CPU time does not wait for more with a lock of the node in its hands: while processes of a
 * capped VE take and leave such a lock all the time, the node gets it soon.  The twin is the scheduler's own cap
 * (cpu.max), which stops whoever runs, wherever: there the node has to wait.
 *
 *   cap               on the node
 *   cap --loop KIND   in the VE
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "envlib.h"
#include "tap.h"

#define TREE "/usr/share/ve/template/tiny"
#define SELF "/root/cap"
#define LOOPS 4
#define MOUNTS 20
#define CAP 20000000u		/* ns of each second: 1 ms of each 50 */
#define ROUNDS 400
#define PAUSE 7000		/* us between two: no multiple of a period */
#define SOON 25			/* ms: half of what is waited for more CPU time */

/* ---- locks ----------------------------------------------------------------- */

/* The mutex of all network namespaces: to take a device down is to sleep with it. */
static void rtnl_long(void)
{
	struct ifreq r = { .ifr_name = "lo" };
	static int s = -1;

	if (s < 0)
		s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ioctl(s, SIOCSIFFLAGS, &r))
		die("lo, down");
	r.ifr_flags = IFF_UP;
	if (ioctl(s, SIOCSIFFLAGS, &r))
		die("lo, up");
}

static void rtnl_short(void)
{
	struct ifreq r = { .ifr_name = "lo" };
	static int s = -1;

	if (s < 0)
		s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ioctl(s, SIOCGIFFLAGS, &r) || ioctl(s, SIOCSIFFLAGS, &r))
		die("flags of lo");
}

/* A tree of one's own to copy: that of the others would be in one's copies, and theirs in theirs. */
static void make_tree(const char *from)
{
	char path[96];

	mkdir(from, 0700);
	for (int i = 0; i < MOUNTS; i++) {
		snprintf(path, sizeof(path), "%s/%d", from, i);
		if (mkdir(path, 0700) || mount("/dev", path, NULL, MS_BIND, NULL))
			die("%s", path);
	}
}

/* What guards all mount tables: to copy a tree is to allocate with it. */
static void mounts_long(void)
{
	static char from[64], to[64];

	if (!*from) {
		snprintf(from, sizeof(from), "/root/from-%d", getpid());
		snprintf(to, sizeof(to), "/root/to-%d", getpid());
		mkdir(to, 0700);
		make_tree(from);
	}
	if (mount(from, to, NULL, MS_BIND | MS_REC, NULL) || umount2(to, MNT_DETACH))
		die("%s", to);
}

static void mounts_short(void)
{
	if (mount(NULL, "/", NULL, MS_PRIVATE, NULL))
		die("the root mount");
}

static const struct {
	const char *name;
	void (*in_ve)(void), (*on_node)(void);
} kinds[] = {
	{ "rtnl", rtnl_long, rtnl_short },
	{ "mounts", mounts_long, mounts_short },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int loop(const char *kind)
{
	for (size_t k = 0; k < KINDS; k++)
		while (!strcmp(kinds[k].name, kind))
			kinds[k].in_ve();
	return 2;
}

/* ---- on the node ----------------------------------------------------------- */

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The longest of many times that the node takes it. */
static double longest(size_t kind)
{
	double most = 0;

	for (int i = 0; i < ROUNDS; i++) {
		double begin = now_ms();

		kinds[kind].on_node();
		if (now_ms() - begin > most)
			most = now_ms() - begin;
		usleep(PAUSE);
	}
	return most;
}

static void cap_of_ve(const struct env_ve *ve, uint64_t cap)
{
	struct env_cpu c = { .cap = cap };

	if (env_ctl(ve->fd, ENV_CTL_CPU, &c, sizeof(c)))
		die("the cap");
}

static void cap_of_group(const struct env_ve *ve, const char *max)
{
	int fd = openat(ve->acct, "cpu.max", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, max, strlen(max)) < 0)
		die("cpu.max");
	close(fd);
}

static long used_us(const struct env_ve *ve)
{
	char text[512] = "";
	int fd = openat(ve->acct, "cpu.stat", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		die("cpu.stat");
	close(fd);
	return atol(text + strlen("usage_usec "));
}

static void test(const struct env_ve *ve, size_t kind)
{
	char *argv[] = { SELF, "--loop", (char *)kinds[kind].name, NULL };
	double plain, capped, group, began;
	int proc[LOOPS];
	uint32_t sig = SIGKILL;
	long share;

	for (int i = 0; i < LOOPS; i++)
		if ((proc[i] = env_run(ve, argv)) < 0)
			die("a loop in the VE");
	plain = longest(kind);
	cap_of_ve(ve, CAP);
	usleep(2000000); /* what was used before is paid off */
	share = used_us(ve);
	began = now_ms();
	capped = longest(kind);
	share = (long)((double)(used_us(ve) - share) / (now_ms() - began));
	cap_of_ve(ve, 0);
	cap_of_group(ve, "1000 50000");
	usleep(2000000);
	group = longest(kind);
	cap_of_group(ve, "max 50000");
	printf("# %s: %.2f ms without a cap, %.2f with the VE's, %.2f with the scheduler's own\n", kinds[kind].name, plain,
	       capped, group);
	if (!ok(share >= 10 && share <= 30, "%s: the cap holds: 20 thousandths of a CPU", kinds[kind].name))
		printf("# %ld\n", share);
	ok(capped < SOON, "%s: the node does not wait for a VE to get more CPU time", kinds[kind].name);
	ok(group >= SOON, "%s: where the scheduler stops whoever runs, it would", kinds[kind].name);
	for (int i = 0; i < LOOPS; i++) {
		env_ctl(proc[i], ENV_CTL_SIGNAL, &sig, sizeof(sig));
		env_wait(proc[i]);
		close(proc[i]);
	}
}

int main(int argc, char **argv)
{
	static char *const init[] = { "/sbin/init", NULL };
	struct env_create_args args;
	struct env_ve ve;

	if (argc == 3 && !strcmp(argv[1], "--loop"))
		return loop(argv[2]);
	setlinebuf(stdout);
	env_require();
	env_prepare(&ve, 800, TREE, &args, init);
	env_put(&ve, "/proc/self/exe", "cap");
	ve.fd = env_create(&args, sizeof(args));
	if (ve.fd < 0)
		die("env_create");
	close(args.root_fd);
	env_settle(&ve);
	for (size_t k = 0; k < KINDS; k++)
		test(&ve, k);
	env_destroy(&ve);
	return tap_done();
}
