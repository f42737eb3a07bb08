// SPDX-License-Identifier: GPL-2.0-only
/*
 * User Beancounters: the rows that the memory cgroup counts, what reclaim and the OOM
 * killer make of their bounds and guarantees, and what is charged by force.
 */
#include "eater.h"
#include "envlib.h"
#include "tap.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char out[65536];

static void test_reclaim(const struct env_ve *ve)
{
	struct env_ubstat s, s2;
	struct eater e;
	uint64_t base = stat_of(ve, UB_PHYSPAGES).held;
	int status;

	s = stat_of(ve, UB_PHYSPAGES);
	e = eat(ve, "physpages", 8);
	s2 = stat_of(ve, UB_PHYSPAGES);
	if (!ok(e.got == 8 && s2.held > base + 7 * 256, "physpages: held rises with use"))
		printf("# took %d, from %llu to %llu\n", e.got, (unsigned long long)base,
		       (unsigned long long)s2.held);
	finish(&e);
	env_bound(ve, UB_SWAPPAGES, 0);
	env_bound(ve, UB_PHYSPAGES, base + 16 * 256);
	e = eat(ve, "physpages", 8);
	ok(e.got == 8 && stat_of(ve, UB_PHYSPAGES).failcnt == s.failcnt,
	   "physpages: below the bound nothing is refused");
	finish(&e);
	e = eat(ve, "physpages", 64);
	status = finish(&e);
	s2 = stat_of(ve, UB_PHYSPAGES);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && s2.failcnt > s.failcnt,
	   "physpages: who asks for more than there is ends, and failcnt counts it");
	ok(s2.held <= base + 16 * 256, "physpages: no more than the bound is held");
	ok(!env_sh(ve, "echo alive", out, sizeof(out)), "physpages: the VE goes on");
	env_bound(ve, UB_PHYSPAGES, UB_MAXVALUE);
}

static void swap_on(void)
{
	if (system("echo 64M >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null && swapon /dev/zram0"))
		die("a swap device on zram");
}

static void test_swap(const struct env_ve *ve)
{
	uint64_t base = stat_of(ve, UB_PHYSPAGES).held;
	struct env_ubstat s;
	struct eater e;

	swap_on();
	env_bound(ve, UB_SWAPPAGES, 16 * 256);
	env_bound(ve, UB_PHYSPAGES, base + 8 * 256);
	e = eat(ve, "swappages", 16);
	s = stat_of(ve, UB_SWAPPAGES);
	if (!ok(e.got == 16 && s.held > 4 * 256, "swappages: what does not fit in memory is there"))
		printf("# took %d, held %llu\n", e.got, (unsigned long long)s.held);
	ok(s.held <= 16 * 256, "swappages: no more than its bound");
	finish(&e);
	ok(settle(ve, UB_SWAPPAGES, 256) <= 256, "swappages: and falls when it is given back");
	env_bound(ve, UB_SWAPPAGES, 256);
	/* Files' pages in base may be dropped to make room: more than all of them. */
	e = eat(ve, "swappages", (int)(base / 256) + 16);
	ok(WIFSIGNALED(finish(&e)) && stat_of(ve, UB_SWAPPAGES).failcnt > s.failcnt,
	   "swappages: a small bound refuses, and failcnt counts it");
	env_bound(ve, UB_PHYSPAGES, UB_MAXVALUE);
	env_bound(ve, UB_SWAPPAGES, UB_MAXVALUE);
}

static int oom_score(int pid)
{
	char path[64], text[16] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/oom_score", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		die("%s", path);
	close(fd);
	return atoi(text);
}

static void test_guarantees(const struct env_ve *ve)
{
	uint64_t base = stat_of(ve, UB_PRIVVMPAGES).held;
	struct env_proc_info info;
	int before, guarded;
	struct eater e;

	env_bound(ve, UB_PRIVVMPAGES, base + 4 * 256);
	e = eat(ve, "privvmpages", 8);
	ok(e.got < 8, "vmguarpages: without it the barrier of privvmpages holds");
	finish(&e);
	if (set_bound(ve->fd, UB_VMGUARPAGES, base + 16 * 256, UB_MAXVALUE))
		die("vmguarpages");
	e = eat(ve, "privvmpages", 8);
	ok(e.got == 8, "vmguarpages: what is guaranteed is not refused");
	finish(&e);
	e = eat(ve, "privvmpages", 64);
	ok(e.got < 64 && e.error == ENOMEM, "vmguarpages: what is not still is");
	finish(&e);
	env_bound(ve, UB_PRIVVMPAGES, UB_MAXVALUE);

	e = eat(ve, "physpages", 8);
	if (env_ctl(e.proc, ENV_CTL_QUERY, &info, sizeof(info)))
		die("query");
	before = oom_score(info.pid);
	if (set_bound(ve->fd, UB_OOMGUARPAGES, stat_of(ve, UB_PHYSPAGES).held + 1000, UB_MAXVALUE))
		die("oomguarpages");
	guarded = oom_score(info.pid);
	if (!ok(guarded < before && guarded < 100, "oomguarpages: below it the OOM killer looks elsewhere"))
		printf("# score %d, was %d\n", guarded, before);
	if (set_bound(ve->fd, UB_OOMGUARPAGES, 1, UB_MAXVALUE))
		die("oomguarpages");
	ok(oom_score(info.pid) >= before - 10, "oomguarpages: above it the VE is as any other");
	finish(&e);
}

/* A file of the group that all VEs are in; what cannot be reclaimed whole is no error. */
static void group_write(const char *file, const char *text)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/fs/cgroup/ve/%s", file);
	fd = open(path, O_WRONLY);
	if (fd < 0 || (write(fd, text, strlen(text)) < 0 && errno != EAGAIN))
		die("%s", path);
	close(fd);
}

static long long group_current(void)
{
	char text[32] = "";
	int fd = open("/sys/fs/cgroup/ve/memory.current", O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		die("memory.current");
	close(fd);
	return atoll(text);
}

/* When there is want of memory, the pages of a VE that has a guarantee stay, and another's go. */
static void test_low(const struct env_ve *a, const struct env_ve *b)
{
	struct eater ea = eat(a, "physpages", 24), eb = eat(b, "physpages", 24);
	uint64_t ha, hb;

	group_write("memory.low", "max"); /* as the agent has it: or no VE has more than nothing */
	if (set_bound(a->fd, UB_VMGUARPAGES, 100 * 256, UB_MAXVALUE))
		die("vmguarpages");
	ha = stat_of(a, UB_PHYSPAGES).held;
	hb = stat_of(b, UB_PHYSPAGES).held;
	group_write("memory.reclaim", "16M");
	if (!ok(stat_of(a, UB_PHYSPAGES).held + 128 >= ha && stat_of(b, UB_PHYSPAGES).held + 8 * 256 <= hb,
		"vmguarpages: what is guaranteed is not reclaimed while there is other"))
		printf("# %llu of %llu, %llu of %llu\n", (unsigned long long)stat_of(a, UB_PHYSPAGES).held,
		       (unsigned long long)ha, (unsigned long long)stat_of(b, UB_PHYSPAGES).held, (unsigned long long)hb);
	if (set_bound(a->fd, UB_VMGUARPAGES, 0, UB_MAXVALUE))
		die("vmguarpages");
	group_write("memory.reclaim", "16M");
	if (!ok(stat_of(a, UB_PHYSPAGES).held + 4 * 256 <= ha, "vmguarpages: without it is as any other"))
		printf("# %llu of %llu\n", (unsigned long long)stat_of(a, UB_PHYSPAGES).held, (unsigned long long)ha);
	finish(&ea);
	finish(&eb);
	group_write("memory.low", "0");
}

/* All VEs' memory is used up, and somebody has to go: 1 if it is @a, which has most, 0 another. */
static int goes_first(const struct env_ve *a, const struct env_ve *b, uint64_t guarantee)
{
	struct eater ea = eat(a, "physpages", 48), eb = eat(b, "physpages", 16), more;
	char max[32];
	int first, others;

	if (set_bound(a->fd, UB_OOMGUARPAGES, guarantee, UB_MAXVALUE))
		die("oomguarpages");
	snprintf(max, sizeof(max), "%lld", group_current() + (4 << 20));
	group_write("memory.max", max);
	more = eat(b, "physpages", 16);
	group_write("memory.max", "max");
	first = finish(&ea);
	others = WIFSIGNALED(finish(&eb)) + WIFSIGNALED(finish(&more));
	printf("# of the one %#x, of the other %d\n", first, others);
	return WIFSIGNALED(first) ? others ? -1 : 1 : others ? 0 : -1;
}

static void test_choice(const struct env_ve *a, const struct env_ve *b)
{
	uint64_t much = stat_of(a, UB_PHYSPAGES).held + 64 * 256;

	if (system("swapoff /dev/zram0"))
		die("swapoff");
	ok(goes_first(a, b, 0) == 1, "oomguarpages: without a guarantee who has most goes first");
	ok(goes_first(a, b, much) == 0, "oomguarpages: who has no more than its guarantee stays");
	ok(goes_first(a, b, much / 4) == 1, "oomguarpages: who has more goes");
	if (set_bound(a->fd, UB_OOMGUARPAGES, 0, UB_MAXVALUE))
		die("oomguarpages");
}

/* Pages of sockets' buffers by the VE's memory cgroup. */
static long sock_pages(const struct env_ve *ve)
{
	int fd = openat(ve->acct, "memory.stat", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, out, sizeof(out) - 1);
	char *at;

	close(fd);
	out[n > 0 ? n : 0] = '\0';
	at = strstr(out, "\nsock ");
	if (!at)
		die("memory.stat");
	return atol(at + 6) / 4096;
}

/*
 * What a row refuses and the kernel takes all the same is charged to the memory
 * cgroup too, or its counter would end below nothing.
 */
static void test_forced(void)
{
	struct env_ve ve = eater_ve(504, "ub_eat");
	long pages, rows;
	struct eater e;

	if (set_bound(ve.fd, UB_TCPSNDBUF, 0, UB_MAXVALUE))
		die("tcpsndbuf");
	e = eat(&ve, "forced", 300);
	rows = (long)((stat_of(&ve, UB_TCPSNDBUF).held + stat_of(&ve, UB_TCPRCVBUF).held) / 4096);
	pages = sock_pages(&ve);
	if (!ok(e.got == 300 && rows > 300 && stat_of(&ve, UB_TCPSNDBUF).failcnt >= 300,
		"tcpsndbuf: what cannot wait is forced"))
		printf("# took %d, errno %s, %ld pages\n", e.got, strerror(e.error), rows);
	/* The cgroup's own figure is not exact. */
	if (!ok(labs(rows - pages) < 150, "tcpsndbuf: and the memory cgroup has it as well"))
		printf("# %ld pages of %ld\n", pages, rows);
	finish(&e);
	settle(&ve, UB_TCPSNDBUF, 0);
	env_bound(&ve, UB_TCPSNDBUF, 0);
	e = eat(&ve, "forced", 300);
	if (!ok(!e.got && e.error == EAGAIN, "tcpsndbuf: but not above the limit"))
		printf("# took %d, errno %s\n", e.got, strerror(e.error));
	finish(&e);
	env_destroy(&ve);
}

int main(void)
{
	struct env_ve a, b;

	env_require();
	a = eater_ve(501, "ub_eat");
	b = eater_ve(502, "ub_eat");
	test_reclaim(&a);
	test_swap(&a);
	test_guarantees(&a);
	test_low(&a, &b);
	test_choice(&a, &b);
	env_destroy(&a);
	env_destroy(&b);
	test_forced();
	return tap_done();
}
