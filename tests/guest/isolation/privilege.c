// SPDX-License-Identifier: Apache-2.0
/* Privilege: what root of a VE is root over, and what a VE gets by a feature alone. */
#include "iso.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

static int real_time(void)
{
	struct sched_param p = { .sched_priority = 1 };

	return iso_errno(sched_setscheduler(0, SCHED_FIFO, &p));
}

static int negative_nice(void)
{
	return iso_errno(setpriority(PRIO_PROCESS, 0, -5));
}

static int set_clock(void)
{
	struct timex t = { .modes = ADJ_STATUS };

	return iso_errno(adjtimex(&t));
}

static int raise_limit(void)
{
	struct rlimit r = { 1024, 1024 }, more = { 4096, 4096 };

	if (setrlimit(RLIMIT_NOFILE, &r))
		return BROKEN;
	return iso_errno(setrlimit(RLIMIT_NOFILE, &more));
}

static int huge_buffer(void)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0), size = 64 << 20;

	return iso_errno(setsockopt(s, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)));
}

static int user_namespace(void)
{
	return iso_errno(unshare(CLONE_NEWUSER));
}

/* Until it is refused; a node that never refuses is allowed. */
static int forty_networks(bool users)
{
	for (int i = 0; i < 40; i++) {
		int pid = fork(), status;

		if (!pid) {
			if (users && syscall(SYS_setresuid, -1, 1000 + i, -1))
				_exit(BROKEN);
			if (unshare(CLONE_NEWNET))
				_exit(errno);
			pid = fork();
			if (!pid) {
				signal(SIGHUP, SIG_IGN);
				sleep(60); /* until its VE ends, or the guest */
			}
			_exit(0);
		}
		waitpid(pid, &status, 0);
		if (WEXITSTATUS(status))
			return WEXITSTATUS(status);
	}
	return 0;
}

static int many_networks(void)
{
	return forty_networks(false);
}

/* Each as another user, of whom root has as many as it likes. */
static int networks_of_users(void)
{
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP))
		return errno;
	return forty_networks(true);
}

static int measure(void)
{
	struct perf_event_attr a = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(a),
				     .config = PERF_COUNT_SW_TASK_CLOCK, .exclude_kernel = 1 };

	return iso_errno(syscall(SYS_perf_event_open, &a, 0, -1, -1, 0));
}

static int kernel_log(void)
{
	static char buf[65536];
	int n = klogctl(3, buf, sizeof(buf)); /* SYSLOG_ACTION_READ_ALL */

	return n < 0 ? errno : n ? 0 : ENODATA;
}

static int raise_console(void)
{
	return iso_errno(klogctl(8, NULL, 4)); /* SYSLOG_ACTION_CONSOLE_LEVEL */
}

static int clear_log(void)
{
	return iso_errno(klogctl(5, NULL, 0));
}

#define DISK "/dev/loop5" /* with a file system, on the node */

static int mount_one(const char *type)
{
	if (unshare(CLONE_NEWNS))
		return errno;
	return iso_errno(mount(DISK, "/run", type, 0, NULL));
}

#define MOUNT(type)                        \
	static int mount_##type(void)      \
	{                                  \
		return mount_one(#type);   \
	}
MOUNT(securityfs)
MOUNT(tmpfs)
MOUNT(ramfs)
MOUNT(sysfs)
MOUNT(ext4)
MOUNT(debugfs)
MOUNT(cgroup2)

static int mount_overlay(void)
{
	if (unshare(CLONE_NEWNS) || mount("layers", "/run", "tmpfs", 0, NULL))
		return errno;
	if (mkdir("/run/upper", 0755) || mkdir("/run/work", 0755) || mkdir("/run/merged", 0755))
		return BROKEN;
	return iso_errno(mount("overlay", "/run/merged", "overlay", 0, "lowerdir=/etc,upperdir=/run/upper,workdir=/run/work"));
}

/* The escape that chroot is known for; in a VE there is nothing above its root. */
static int leave_chroot(void)
{
	struct stat before, after;
	int root = open("/", O_RDONLY | O_DIRECTORY);

	mkdir("/tmp/cell", 0755);
	if (stat("/", &before) || chroot("/tmp/cell") || fchdir(root))
		return BROKEN;
	for (int i = 0; i < 30; i++)
		if (chdir(".."))
			return BROKEN;
	if (chroot(".") || stat("/", &after))
		return BROKEN;
	/* Back at the VE's root, and no further: on the node that is the node's root. */
	return before.st_ino == after.st_ino && before.st_dev == after.st_dev ? 0 : EPERM;
}

/* Another root, in mounts of its own: the old one is what it was, and has nothing above it. */
static int pivot(void)
{
	struct stat before, after;

	mkdir("/tmp/root", 0755);
	if (stat("/", &before))
		return BROKEN;
	if (unshare(CLONE_NEWNS) || mount("new", "/tmp/root", "tmpfs", 0, NULL) || mkdir("/tmp/root/old", 0755) ||
	    syscall(SYS_pivot_root, "/tmp/root", "/tmp/root/old"))
		return errno;
	if (chdir("/old"))
		return BROKEN;
	for (int i = 0; i < 30; i++)
		if (chdir(".."))
			return BROKEN;
	if (stat("old", &after))
		return BROKEN;
	return before.st_ino == after.st_ino && before.st_dev == after.st_dev ? 0 : EPERM;
}

/* Mounts that are shared with those of a child, of whom @flags tell what it leaves besides. */
static int mount_of_child(int flags)
{
	struct stat before, after;
	int pid, status;

	mkdir("/tmp/shown", 0755);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) || stat("/tmp/shown", &before))
		return errno;
	pid = fork();
	if (!pid)
		_exit(iso_errno(unshare(CLONE_NEWNS | flags)) ?: iso_errno(mount("x", "/tmp/shown", "tmpfs", 0, NULL)));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || stat("/tmp/shown", &after))
		return BROKEN;
	return WEXITSTATUS(status) ?: before.st_dev == after.st_dev ? ENOENT : 0;
}

static int mount_of_own(void)
{
	return mount_of_child(0);
}

static int mount_of_nested(void)
{
	return mount_of_child(CLONE_NEWUSER);
}

/* In the mounts that all of the VE has */
static int mount_for_all(void)
{
	mkdir("/tmp/for-all", 0755);
	return iso_errno(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL)) ?:
	       iso_errno(mount("iso-for-all", "/tmp/for-all", "tmpfs", 0, NULL));
}

static int see_that_mount(void)
{
	char line[512];
	FILE *f = fopen("/proc/self/mountinfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "iso-for-all"))
			return 0;
	return f ? ENOENT : BROKEN;
}

static int name_itself(void)
{
	return iso_errno(sethostname("mine", 4));
}

static int open_ports(void)
{
	return iso_errno(syscall(SYS_ioperm, 0x80, 1, 1));
}

/* On the node the argument is what is wrong. */
static int make_ve(void)
{
	return iso_errno(env_create(NULL, 0));
}

static int make_whole_ve(void)
{
	struct env_ve ve;

	env_start(&ve, 4321, iso_template(), (char *[]){ "/sbin/init", NULL });
	env_destroy(&ve);
	return 0;
}

static int list_ves(void)
{
	struct env_list_entry e[8];
	struct env_list l = { .entries = (uintptr_t)e, .nr = 8 };

	return iso_errno(env_ctl(-1, ENV_CTL_LIST, &l, sizeof(l)));
}

static const struct iso_row rows[] = {
	{ "making a VE from inside a VE", NULL, make_ve, { EINVAL, EPERM, EPERM, EPERM } },
	{ "making a VE", NULL, make_whole_ve, { 0, NA, NA, NA } },
	{ "listing VEs", NULL, list_ves, { 0, EPERM, EPERM, EPERM } },
	{ "real-time priority", NULL, real_time, { 0, EPERM, EPERM, EPERM } },
	{ "real-time priority", "capable", real_time, { NA, EPERM, NA, EPERM }, .rooted = true },
	{ "negative niceness", NULL, negative_nice, { 0, EACCES, EACCES, EACCES } },
	{ "setting the clock", NULL, set_clock, { 0, EPERM, EPERM, EPERM } },
	{ "setting the clock", "capable", set_clock, { NA, EPERM, NA, EPERM }, .rooted = true },
	{ "raising a hard limit", NULL, raise_limit, { 0, EPERM, EPERM, EPERM } },
	{ "a socket buffer beyond the limit", NULL, huge_buffer, { 0, EPERM, EPERM, EPERM } },
	/* The node's kernel is built without the call, which answers in a VE before that. */
	{ "I/O ports, which nobody has", NULL, open_ports, { ENOSYS, EPERM, EPERM, EPERM } },
	{ "a user namespace", "userns", user_namespace, { 0, EPERM, EPERM, EPERM } },
	{ "a user namespace with the feature", NULL, user_namespace, { NA, 0, 0, EPERM }, .features = ENV_FEAT_NESTING },
	{ "forty networks", NULL, many_networks, { 0, ENOSPC, EPERM, ENOSPC } },
	{ "forty networks of as many users", NULL, networks_of_users, { 0, ENOSPC, EPERM, ENOSPC } },
	{ "measuring itself", "perf", measure, { 0, EPERM, EPERM, EPERM } },
	{ "the kernel's log", "syslog", kernel_log, { 0, ENODATA, ENODATA, ENODATA } },
	{ "what the console shows of the kernel's log", NULL, raise_console, { 0, EPERM, EPERM, EPERM } },
	/* Not by the node, where what an operator is told is looked for in the log at the end; it does the row above. */
	{ "clearing the kernel's log", NULL, clear_log, { NA, EPERM, EPERM, EPERM } },
	{ "mounting a tmpfs", NULL, mount_tmpfs, { 0, 0, EPERM, 0 } },
	{ "mounting a ramfs", "mount", mount_ramfs, { 0, EPERM, EPERM, EPERM } },
	{ "mounting sysfs", NULL, mount_sysfs, { 0, EPERM, EPERM, EPERM } },
	{ "mounting ext4", NULL, mount_ext4, { 0, EPERM, EPERM, EPERM } },
	{ "mounting securityfs", NULL, mount_securityfs, { 0, EPERM, EPERM, EPERM } },
	/* Not by the node, whose kernel has it for tests alone; it does the row above. */
	{ "mounting debugfs", NULL, mount_debugfs, { NA, EPERM, EPERM, EPERM } },
	{ "mounting cgroup2", NULL, mount_cgroup2, { 0, EPERM, EPERM, EPERM } },
	{ "mounting cgroup2 with the feature", NULL, mount_cgroup2, { NA, 0, EPERM, EPERM }, .features = ENV_FEAT_NESTING },
	{ "mounting an overlay", NULL, mount_overlay, { 0, EPERM, EPERM, EPERM } },
	{ "mounting an overlay with the feature", NULL, mount_overlay, { NA, 0, EPERM, EPERM }, .features = ENV_FEAT_NESTING },
	{ "getting no further than its root out of a chroot", NULL, leave_chroot, { 0, 0, NA, 0 } },
	/* The node's root is a ramfs, which cannot be put under another. */
	{ "another root, and no further than that", NULL, pivot, { EINVAL, 0, EPERM, 0 } },
	{ "its child's mount in shared mounts", NULL, mount_of_own, { 0, 0, EPERM, 0 } },
	{ "that of a child in another user namespace", NULL, mount_of_nested, { ENOENT, ENOENT, EPERM, EPERM }, .features = ENV_FEAT_NESTING },
	{ "a mount in VE A's shared mounts", NULL, mount_for_all, { NA, 0, EPERM, NA } },
	{ "seeing that mount", NULL, see_that_mount, { ENOENT, 0, 0, ENOENT } },
	{ "naming itself", NULL, name_itself, { 0, 0, EPERM, 0 } },
};

static void setup(void)
{
	if (system("losetup -d " DISK " 2>/dev/null; dd if=/dev/zero of=/run/ext4 bs=1048576 count=4 2>/dev/null && "
		   "mke2fs -F /run/ext4 >/dev/null 2>&1 && losetup " DISK " /run/ext4"))
		die("a file system on " DISK);
}

int main(int argc, char **argv)
{
	return iso_main(argc, argv, ISO_ROWS(rows), setup);
}
