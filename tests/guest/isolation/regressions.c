// SPDX-License-Identifier: Apache-2.0
/*
 * Holes of the past in what a VE can reach, one of each class, written from their advisories.  The kernel below has
 * them closed; a wrong merge or a configuration would open one again and nothing else here would tell.
 */
#include "iso.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Sockets, CVE-2016-9793: a size below zero */
static int negative_buffer(void)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0), size = INT_MIN, got = 0;
	socklen_t n = sizeof(got);

	if (setsockopt(s, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) || getsockopt(s, SOL_SOCKET, SO_SNDBUF, &got, &n))
		return errno;
	return got > 0 ? 0 : ERANGE;
}

/* Queues, CVE-2017-11176: notice over a socket that is none */
static int notice_nowhere(void)
{
	char cookie[32] = { 0 };
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD, .sigev_signo = -1, .sigev_value.sival_ptr = cookie };
	mqd_t q = mq_open("/notice", O_CREAT | O_RDWR, 0600, NULL);
	int e;

	if (q < 0)
		return BROKEN;
	e = iso_errno(syscall(SYS_mq_notify, q, &ev));
	mq_unlink("/notice");
	return e;
}

/* Timers, CVE-2017-18344: a way of notice beyond the known ones */
static int unknown_notice(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL | 0x100, .sigev_signo = SIGUSR1 };
	int id;

	return iso_errno(syscall(SYS_timer_create, CLOCK_REALTIME, &ev, &id));
}

static int known_notice(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	int id;

	return iso_errno(syscall(SYS_timer_create, CLOCK_REALTIME, &ev, &id));
}

/* Futexes, CVE-2014-3153: requeued from a lock to the same lock */
static int requeue_to_itself(void)
{
	static uint32_t word;

	return iso_errno(syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE_PI, 1, 0UL, &word, 0));
}

/* Set-group-id, CVE-2018-13405 and CVE-2021-4037: a file in a directory of a group that one is not in */
static int make_group_directory(void)
{
	if (mkdir("/tmp/group", 0777) && errno != EEXIST)
		return errno;
	return chown("/tmp/group", 0, 5) ? errno : iso_errno(chmod("/tmp/group", 02777));
}

static int inherit_group(void)
{
	char path[64];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/tmp/group/%d", getpid());
	umask(0);
	fd = open(path, O_CREAT | O_RDWR, 02777);
	if (fd < 0 || fstat(fd, &st) || st.st_gid != 5)
		return BROKEN;
	return st.st_mode & S_ISGID ? 0 : EPERM;
}

/* The stack, CVE-2017-1000364: it never comes near what lies below it */
static sigjmp_buf fell;
static char *volatile lowest;

static void on_fault(int sig)
{
	siglongjmp(fell, sig);
}

static int stack_meets_mapping(void)
{
	static char other[65536];
	stack_t alt = { .ss_sp = other, .ss_size = sizeof(other) };
	struct sigaction sa = { .sa_handler = on_fault, .sa_flags = SA_ONSTACK };
	char here, *map = (char *)((uintptr_t)&here & ~4095UL) - (3 << 20);

	sigaltstack(&alt, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	if (mmap(map, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != map)
		return BROKEN;
	if (!sigsetjmp(fell, 1))
		for (lowest = &here; lowest >= map + 4096; lowest -= 4096)
			*lowest = 1;
	/* A gap of 256 pages, and that the fault came at all. */
	return lowest >= map + (256 << 12) ? EFAULT : 0;
}

/* Mounts, CVE-2014-5206: what is below is not laid bare in a namespace of one's own */
static int uncover(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return errno;
	return iso_errno(umount2("/proc", MNT_DETACH));
}

static int cover_and_uncover(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) || mount("none", "/tmp", "tmpfs", 0, NULL))
		return errno;
	return iso_errno(umount("/tmp"));
}

/* The page cache, CVE-2022-0847: what was spliced into a pipe is not written through it */
static int write_by_pipe(void)
{
	const char *path = "/bin/sh"; /* of the template */
	int p[2], fd = open(path, O_RDONLY), size;
	static char full[1 << 20];
	char before[2], after[2];
	loff_t at = 0;

	if (fd < 0 || pipe(p) || pread(fd, before, 2, 0) != 2)
		return BROKEN;
	size = fcntl(p[1], F_GETPIPE_SZ);
	if (size <= 0 || (size_t)size > sizeof(full) || write(p[1], full, (size_t)size) != size || read(p[0], full, (size_t)size) != size)
		return BROKEN;
	if (splice(fd, &at, p[1], NULL, 1, 0) != 1 || write(p[1], "!", 1) != 1 || pread(fd, after, 2, 0) != 2)
		return BROKEN;
	return memcmp(before, after, 2) ? 0 : EPERM;
}

/* Of the same class, CVE-2016-5195: what is written into a private mapping stays there */
static int write_by_memory(void)
{
	int fd = open("/bin/sh", O_RDONLY), mem = open("/proc/self/mem", O_RDWR);
	char *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0), after[2], before[2];

	if (fd < 0 || mem < 0 || map == MAP_FAILED || pread(fd, before, 2, 0) != 2)
		return BROKEN;
	for (int i = 0; i < 1000; i++) {
		madvise(map, 4096, MADV_DONTNEED);
		if (pwrite(mem, "!!", 2, (off_t)(uintptr_t)map) != 2)
			return BROKEN;
	}
	if (pread(fd, after, 2, 0) != 2)
		return BROKEN;
	return memcmp(before, after, 2) ? 0 : EPERM;
}

/* A device made here moves to a network whose root is another user: the node's log stays clean. */
static int move_device(void)
{
	char command[128], map[32];
	int ready[2], done[2], pid, fd;
	char c;

	if (system("ip link add moved type dummy 2>/dev/null"))
		return EOPNOTSUPP;
	if (pipe(ready) || pipe(done))
		return BROKEN;
	pid = fork();
	if (!pid) {
		close(done[1]);
		c = unshare(CLONE_NEWUSER | CLONE_NEWNET) ? 'n' : 'y';
		if (write(ready[1], &c, 1) == 1)
			read(done[0], &c, 1);
		_exit(0);
	}
	if (read(ready[0], &c, 1) != 1 || c != 'y')
		return BROKEN;
	snprintf(command, sizeof(command), "/proc/%d/uid_map", pid);
	snprintf(map, sizeof(map), "0 1000 1");
	fd = open(command, O_WRONLY);
	if (fd < 0 || write(fd, map, strlen(map)) < 0)
		return BROKEN;
	snprintf(command, sizeof(command), "ip link set moved netns %d", pid);
	fd = system(command);
	close(done[1]);
	waitpid(pid, NULL, 0);
	return fd ? EINVAL : 0;
}

static const struct iso_row rows[] = {
	{ "a size below zero becoming a socket's smallest", NULL, negative_buffer, { 0, 0, 0, 0 } },
	{ "notice of a queue over a socket that is none", NULL, notice_nowhere, { EBADF, EBADF, EBADF, EBADF } },
	{ "a timer with an unknown notice", NULL, unknown_notice, { EINVAL, EINVAL, EINVAL, EINVAL } },
	{ "a timer with a known notice", NULL, known_notice, { 0, 0, 0, 0 } },
	{ "a futex requeued to itself", NULL, requeue_to_itself, { EINVAL, EINVAL, EINVAL, EINVAL } },
	{ "a directory of another group", NULL, make_group_directory, { 0, 0, NA, 0 } },
	{ "a set-id file in it", NULL, inherit_group, { 0, 0, EPERM, 0 } },
	{ "a stack that grows into a mapping", NULL, stack_meets_mapping, { EFAULT, EFAULT, EFAULT, EFAULT } },
	{ "uncovering what /proc lies over", NULL, uncover, { EINVAL, EPERM, EPERM, EPERM } },
	{ "uncovering what /proc lies over with the feature", NULL, uncover, { NA, EINVAL, EINVAL, NA }, .features = ENV_FEAT_NESTING },
	{ "uncovering what it covered itself with the feature", NULL, cover_and_uncover, { 0, 0, 0, NA }, .features = ENV_FEAT_NESTING },
	{ "moving a device to a network of another user", NULL, move_device, { NA, EOPNOTSUPP, EOPNOTSUPP, NA } },
	{ "moving one with the feature", NULL, move_device, { NA, 0, EOPNOTSUPP, NA }, .features = ENV_FEAT_NESTING },
	{ "writing to a file of the template through a pipe", NULL, write_by_pipe, { EPERM, EPERM, EPERM, EPERM } },
	{ "writing to it through a private mapping", NULL, write_by_memory, { EPERM, EPERM, EPERM, EPERM } },
};

int main(int argc, char **argv)
{
	return iso_main(argc, argv, ISO_ROWS(rows), NULL);
}
