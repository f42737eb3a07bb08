// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_test [SECONDS [SEED]]: the VE calls with arguments that are nearly right,
 * on descriptors that are nearly right, in any order, with an allocation failing
 * now and then where the kernel can do that.  The kernel has to live (a debug
 * kernel: say nothing), and no VE may be left.  A seed repeats the order of
 * calls, not their timing.
 */
#include "envlib.h"
#include "tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TINY "/usr/share/ve/template/tiny"
#define SLOTS 8			/* VEs that may be there at a time */
#define FDS 32			/* descriptors to draw from */

static char *init[] = { "/sbin/init", NULL };
static char *shell[] = { "/bin/true", NULL };
static struct env_ve ves[SLOTS];
static bool prepared[SLOTS];
static int fds[FDS], fail_nth = -1;
static unsigned long long calls, done;
static uint64_t state;

static uint64_t rnd(uint64_t below)	/* xorshift64* */
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull % below;
}

/* A value that is often of interest, else any. */
static uint64_t value(void)
{
	static const uint64_t odd[] = { 0, 1, 2, 65535, 65536, 0x7fffffff, 0x80000000,
					0xffffffff, ~0ull, 4096, 1ull << 63 };

	return rnd(3) ? odd[rnd(sizeof(odd) / sizeof(odd[0]))] : rnd(~0ull);
}

/* Spoil up to two places of a structure, mostly none. */
static void spoil(void *arg, size_t size)
{
	for (uint64_t n = rnd(3); n && rnd(2); n--) {
		uint64_t v = value();
		size_t at = rnd(size), len = 1 + rnd(8);

		memcpy((char *)arg + at, &v, len < size - at ? len : size - at);
	}
}

static void keep(long fd)
{
	int at = (int)rnd(FDS);

	calls++;
	if (fd < 0)
		return;
	done++;
	if (fd <= 2 || fd == fail_nth)
		return;
	if (fds[at] >= 0)
		close(fds[at]);
	fds[at] = (int)fd;
}

static int some_fd(void)
{
	return rnd(8) ? fds[rnd(FDS)] : (int)value();
}

static void arm(bool on)
{
	char text[16];

	if (fail_nth < 0)
		return;
	snprintf(text, sizeof(text), "%u", on && !rnd(3) ? (unsigned int)(1 + rnd(400)) : 0);
	if (pwrite(fail_nth, text, strlen(text), 0) < 0)
		die("fail-nth");
}

static size_t size_of(size_t known)
{
	return rnd(6) ? known : rnd(2) ? known - rnd(known) : known + rnd(4096);
}

static void do_create(void)
{
	struct env_create_args args, big[40];
	unsigned int slot = (unsigned int)rnd(SLOTS);
	int root;

	if (prepared[slot])
		return;
	env_prepare(&ves[slot], 700 + slot, TINY, &args, init);
	prepared[slot] = true;
	root = args.root_fd;
	if (!rnd(4)) {
		args.flags = ENV_CREATE_HOLD;
		args.veid = 0;
		args.root_fd = args.cgroup_fd = args.acct_cgroup_fd = -1;
	}
	spoil(&args, sizeof(args));
	memset(big, 0, sizeof(big));
	memcpy(big, &args, sizeof(args));
	arm(true);
	keep(env_create((struct env_create_args *)big, size_of(sizeof(args))));
	arm(false);
	close(root);
}

static void do_enter(void)
{
	struct env_enter_args args = { .cgroup_fd = ves[rnd(SLOTS)].enter };
	char room[8192] = { 0 };

	args.exec.path = (uintptr_t)shell[0];
	args.exec.argv = (uintptr_t)shell;
	spoil(&args, sizeof(args));
	memcpy(room, &args, sizeof(args));
	arm(true);
	keep(env_enter(some_fd(), (struct env_enter_args *)room, size_of(sizeof(args))));
	arm(false);
}

static void do_ctl(void)
{
	unsigned int cmd = (unsigned int)rnd(ENV_CTL_NET_LIMIT + 2); /* and one that is none */
	char room[8192] = { 0 };
	struct env_ip *ip = (struct env_ip *)room;
	struct env_list *list = (struct env_list *)room;
	static struct env_list_entry entries[64];
	static const size_t sizes[] = { 0, 4, 8, 16, 24, 32, 40, 56, 64, 112 };
	int fd = rnd(10) ? some_fd() : -1, ret;

	switch (cmd) {
	case ENV_CTL_IP_ADD:
	case ENV_CTL_IP_DEL:
		ip->family = rnd(2) ? AF_INET : AF_INET6;
		ip->addr[0] = 10;
		ip->addr[3] = (__u8)rnd(16);
		ip->deadline = cmd == ENV_CTL_IP_ADD && !rnd(3) ? value() : 0;
		break;
	case ENV_CTL_LIST:
		list->entries = (uintptr_t)entries;
		list->nr = 64;
		break;
	case ENV_CTL_OPEN:
		*(envid_t *)room = 700 + (envid_t)rnd(SLOTS);
		break;
	case ENV_CTL_SIGNAL:
		*(__u32 *)room = (__u32)rnd(70);
		break;
	case ENV_CTL_FEATURES:
		*(__u64 *)room = rnd(64);
		break;
	}
	spoil(room, 112);
	arm(true);
	ret = env_ctl(fd, cmd, room, rnd(4) ? sizes[rnd(10)] : rnd(sizeof(room)));
	arm(false);
	keep(ret);
	if (!ret && cmd == ENV_CTL_OPEN_PTY) {
		keep(((struct env_pty *)room)->master);
		keep(((struct env_pty *)room)->slave);
	}
}

/* All VEs end; what cannot be killed (a held one) goes with its descriptors. */
static void clear(void)
{
	for (int i = 0; i < FDS; i++) {
		if (fds[i] < 0)
			continue;
		env_ctl(fds[i], ENV_CTL_KILL, NULL, 0);
		close(fds[i]);
		fds[i] = -1;
	}
	for (envid_t i = 0; i < SLOTS; i++) {
		envid_t veid = 700 + i;
		int fd = env_ctl(-1, ENV_CTL_OPEN, &veid, sizeof(veid));
		struct env_info info;

		if (fd >= 0) {
			env_ctl(fd, ENV_CTL_KILL, NULL, 0);
			while (!(env_poll(fd, POLLIN, 20000) & POLLHUP))
				if (env_ctl(fd, ENV_CTL_QUERY, &info, sizeof(info)))
					die("query");
			close(fd);
		}
		if (prepared[i])
			env_clean(&ves[i]);
		prepared[i] = false;
	}
}

/* A number that a spoilt veid may have given. */
static void clear_strangers(void)
{
	struct env_list_entry e[32];
	struct env_list list;

	do {
		list = (struct env_list){ .entries = (uintptr_t)e, .nr = 32 };
		if (env_ctl(-1, ENV_CTL_LIST, &list, sizeof(list)))
			die("list");
		for (unsigned int i = 0; i < list.nr; i++) {
			int fd = env_ctl(-1, ENV_CTL_OPEN, &e[i].veid, sizeof(envid_t));

			env_ctl(fd, ENV_CTL_KILL, NULL, 0);
			close(fd);
		}
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	} while (list.nr);
}

static void try_knob(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		die("%s", path);
	close(fd);
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 30);
	unsigned long rounds = 0;

	env_require();
	state = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL) * 2654435761u + 1;
	printf("# seed %llu\n", (unsigned long long)state);
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
	try_knob("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	try_knob("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	try_knob("/sys/kernel/debug/failslab/verbose", "0");
	try_knob("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	memset(fds, -1, sizeof(fds));
	for (; time(NULL) < end; rounds++) {
		for (int i = 0; i < 60; i++) {
			switch (rnd(6)) {
			case 0:
				do_create();
				break;
			case 1:
				do_enter();
				break;
			default:
				do_ctl();
			}
		}
		clear_strangers();
		clear();
	}
	printf("# %lu rounds, %llu calls, %llu of them done\n", rounds, calls, done);
	ok(rounds && done > rounds, "the calls were made, some with success");
	clear_strangers();
	/* Networks are taken down behind the caller's back. */
	ok(!system("for i in $(seq 300); do [ $(wc -l </proc/ve) -le 1 ] && exit 0; sleep 0.1; done; cat /proc/ve; "
		    "ls -l /proc/$PPID/fd; exit 1"),
	   "and no VE is left, not even a stopped one");
	return tap_done();
}
