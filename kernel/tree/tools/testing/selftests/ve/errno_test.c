// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each documented error of env_create(), env_enter() and env_ctl(), and for
 * each the twin that succeeds.
 */
#include "envlib.h"
#include "tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TINY "/usr/share/ve/template/tiny"

static char *init[] = { "/sbin/init", NULL };

/* Run @fn in a child without any capability; its return value. */
static int unprivileged(int (*fn)(void *), void *arg)
{
	int status, pid = fork();

	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(99);
		_exit(fn(arg) == -1 ? errno : 0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int call_create(void *arg)
{
	return env_create(arg, sizeof(struct env_create_args));
}

static int call_list(void *arg)
{
	return env_ctl(-1, ENV_CTL_LIST, arg, sizeof(struct env_list));
}

static int call_enter(void *arg)
{
	return env_enter(*(int *)arg, NULL, 0);
}

/* No descriptor is free from now on, until descriptors_back(). */
static struct rlimit nofile;

static void descriptors_gone(void)
{
	struct rlimit few;

	getrlimit(RLIMIT_NOFILE, &nofile);
	few = (struct rlimit){ 3, nofile.rlim_max };
	for (int fd = 3; fd < 64; fd++)
		few.rlim_cur = fcntl(fd, F_GETFD) < 0 ? few.rlim_cur : (rlim_t)fd + 1;
	setrlimit(RLIMIT_NOFILE, &few);
	for (int fd = 3; fd < (int)few.rlim_cur; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			fcntl(0, F_DUPFD_CLOEXEC, fd);
}

static void descriptors_back(void)
{
	setrlimit(RLIMIT_NOFILE, &nofile);
}

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("%s to %s", text, path);
	close(fd);
}

static char *many[258], *longest[3];

static void make_vectors(void)
{
	static char text[65537];

	for (int i = 0; i < 257; i++)
		many[i] = "x";
	memset(text, 'x', 65536);
	longest[0] = text;
}

static int create_with(const struct env_create_args *good,
		       void (*change)(struct env_create_args *))
{
	struct env_create_args a = *good;

	change(&a);
	return env_create(&a, sizeof(a));
}

static void set_flag(struct env_create_args *a) { a->flags = 1ULL << 40; }
static void set_feature(struct env_create_args *a) { a->features = 1ULL << 40; }
static void set_veid_0(struct env_create_args *a) { a->veid = 0; }
static void set_veid_big(struct env_create_args *a) { a->veid = 0x80000000u; }
static void set_no_range(struct env_create_args *a) { a->id_count = 0; }
static void set_wrap(struct env_create_args *a) { a->id_first = 0xfffffff0u; }
static void set_held_veid(struct env_create_args *a) { a->flags = ENV_CREATE_HOLD; }
static void set_root_bad(struct env_create_args *a) { a->root_fd = 999; }
static void set_root_dir(struct env_create_args *a)
{
	a->root_fd = open("/", O_PATH);
}
static void set_cgroup_bad(struct env_create_args *a) { a->cgroup_fd = 999; }
static void set_acct_bad(struct env_create_args *a) { a->acct_cgroup_fd = 999; }
static void set_no_path(struct env_create_args *a) { a->init.path = 0; }
static void set_bad_path(struct env_create_args *a) { a->init.path = 8; }
static void set_bad_argv(struct env_create_args *a) { a->init.argv = 8; }
static void set_init_flag(struct env_create_args *a) { a->init.flags = 1u << 9; }
static void set_init_uid(struct env_create_args *a) { a->init.uid = 7; }
static void set_bad_fd(struct env_create_args *a)
{
	static struct env_fdmap map = { 999, 0 };

	a->init.fds = (uintptr_t)&map;
	a->init.nr_fds = 1;
}
static void set_bad_dst(struct env_create_args *a)
{
	static struct env_fdmap map = { 0, -1 };

	a->init.fds = (uintptr_t)&map;
	a->init.nr_fds = 1;
}
static void set_many_fds(struct env_create_args *a) { a->init.nr_fds = 17; }
static void set_many_strings(struct env_create_args *a)
{
	a->init.argv = (uintptr_t)many;
}
static void set_long_string(struct env_create_args *a)
{
	a->init.argv = (uintptr_t)longest;
}
static void set_missing(struct env_create_args *a)
{
	a->init.path = (uintptr_t)"/no/such/init";
}
static void set_not_program(struct env_create_args *a)
{
	a->init.path = (uintptr_t)"/etc/passwd";
}
static void set_long_name(struct env_create_args *a)
{
	static char name[66];

	memset(name, 'x', 65);
	a->hostname = (uintptr_t)name;
}
static void set_empty_name(struct env_create_args *a)
{
	a->hostname = (uintptr_t)"";
}
static void set_bad_name(struct env_create_args *a) { a->hostname = 8; }

static void test_create(void)
{
	static const struct {
		void (*change)(struct env_create_args *);
		int want;
		const char *what;
	} cases[] = {
		{ set_flag, EINVAL, "create with an unknown flag" },
		{ set_feature, EINVAL, "create with an unknown feature" },
		{ set_veid_0, EINVAL, "create with veid 0" },
		{ set_veid_big, EINVAL, "create with veid 2^31" },
		{ set_no_range, EINVAL, "create without a range of ids" },
		{ set_wrap, EINVAL, "create with a range that wraps" },
		{ set_held_veid, EINVAL, "create held with a veid" },
		{ set_root_bad, EBADF, "create with no root descriptor" },
		{ set_root_dir, EINVAL, "create on an attached root" },
		{ set_cgroup_bad, EBADF, "create with no cgroup" },
		{ set_acct_bad, EBADF, "create with no accounting cgroup" },
		{ set_no_path, EINVAL, "create without an init" },
		{ set_bad_path, EFAULT, "create with a bad path pointer" },
		{ set_bad_argv, EFAULT, "create with a bad argv pointer" },
		{ set_init_flag, EINVAL, "create with an unknown exec flag" },
		{ set_init_uid, EINVAL, "create with an init that is not root" },
		{ set_bad_fd, EBADF, "create passing a closed descriptor" },
		{ set_bad_dst, EINVAL, "create passing to descriptor -1" },
		{ set_many_fds, E2BIG, "create passing 17 descriptors" },
		{ set_many_strings, E2BIG, "create with 257 strings" },
		{ set_long_string, E2BIG, "create with 64 KiB of strings" },
		{ set_missing, ENOENT, "create with a missing init" },
		{ set_not_program, EACCES, "create with an init that is none" },
		{ set_long_name, EINVAL, "create with a host name of 65 bytes" },
		{ set_empty_name, EINVAL, "create with an empty host name" },
		{ set_bad_name, EFAULT, "create with a bad name pointer" },
	};
	char big[sizeof(struct env_create_args) + 16] = { 0 };
	struct env_create_args args;
	struct env_ve ve;
	bool left = true;

	make_vectors();
	env_prepare(&ve, 100, TINY, &args, init);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refused(create_with(&args, cases[i].change), cases[i].want,
			cases[i].what);

	refused(env_create(&args, sizeof(args) - 8), EINVAL,
		"create with a structure too small");
	memcpy(big, &args, sizeof(args));
	big[sizeof(big) - 1] = 1;
	refused(env_create((void *)big, sizeof(big)), E2BIG,
		"create with an unknown tail");
	refused(env_create((void *)8, sizeof(args)), EFAULT,
		"create with a bad pointer");
	ok(unprivileged(call_create, &args) == EPERM,
	   "create without privilege: %s", strerror(EPERM));

	descriptors_gone();
	refused(env_create(&args, sizeof(args)), EMFILE,
		"create with no free descriptor");
	descriptors_back();
	write_to("/proc/sys/user/max_net_namespaces", "0");
	refused(env_create(&args, sizeof(args)), ENOSPC,
		"create where no network may be made");
	write_to("/proc/sys/user/max_net_namespaces", "1000");

	ok(env_listed() == 0, "nothing is left of what was refused");

	/* Networks go late: those of earlier VEs are not the next one's. */
	for (int i = 0; i < 20 && left; i++)
		left = create_with(&args, set_missing) < 0 && errno == ENOENT;
	ok(left, "twenty that come to nothing take nothing from the next");

	big[sizeof(big) - 1] = 0;
	ve.fd = env_create((void *)big, sizeof(big));
	ok(ve.fd >= 0, "create with a zero tail succeeds");
	refused(env_create(&args, sizeof(args)), EEXIST,
		"create with a veid that is taken");
	ok(env_listed() == 1, "one VE is listed");
	env_destroy(&ve);
	ok(env_listed() == 0, "none is listed after its end");
}

static void test_enter(void)
{
	static char *sh[] = { "/bin/sh", "-c", "exit 7", NULL };
	static char *gone[] = { "/no/such", NULL };
	struct env_enter_args a = { 0 };
	struct { struct env_enter_args a; char tail[8]; } big;
	struct env_ve ve;
	int fd;

	env_start(&ve, 101, TINY, init);
	a.cgroup_fd = ve.enter;
	a.exec.path = (uintptr_t)sh[0];
	a.exec.argv = (uintptr_t)sh;

	refused(env_enter(999, &a, sizeof(a)), EBADF, "enter by no descriptor");
	refused(env_enter(0, &a, sizeof(a)), EINVAL, "enter by another file");
	refused(env_enter(ve.fd, &a, 8), EINVAL, "enter with a small size");
	refused(env_enter(ve.fd, (void *)8, sizeof(a)), EFAULT,
		"enter with a bad pointer");
	a.flags = 1;
	refused(env_enter(ve.fd, &a, sizeof(a)), EINVAL, "enter with a flag");
	a.flags = 0;
	a.exec.uid = 70000;
	refused(env_enter(ve.fd, &a, sizeof(a)), EINVAL,
		"enter as a user outside the range");
	a.exec.uid = 0;
	a.cgroup_fd = 999;
	refused(env_enter(ve.fd, &a, sizeof(a)), EBADF, "enter with no cgroup");
	a.cgroup_fd = ve.enter;
	a.exec.argv = (uintptr_t)many;
	refused(env_enter(ve.fd, &a, sizeof(a)), E2BIG, "enter with 257 strings");
	a.exec.argv = (uintptr_t)longest;
	refused(env_enter(ve.fd, &a, sizeof(a)), E2BIG, "enter with 64 KiB of strings");
	a.exec.argv = (uintptr_t)sh;
	memset(&big, 0, sizeof(big));
	big.a = a;
	big.tail[7] = 1;
	refused(env_enter(ve.fd, (void *)&big, sizeof(big)), E2BIG, "enter with an unknown tail");
	ok(unprivileged(call_enter, &ve.fd) == EPERM, "enter without privilege: %s",
	   strerror(EPERM));
	descriptors_gone();
	refused(env_enter(ve.fd, &a, sizeof(a)), EMFILE, "enter with no free descriptor");
	descriptors_back();
	fd = openat(ve.acct, "pids.max", O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die("pids.max of a VE");
	refused(env_enter(ve.fd, &a, sizeof(a)), EAGAIN, "enter where no process may be more");
	if (write(fd, "max", 3) != 3)
		die("pids.max");
	close(fd);

	big.tail[7] = 0;
	fd = env_enter(ve.fd, (void *)&big, sizeof(big));
	ok(fd >= 0 && env_wait(fd) == 7 << 8, "enter runs and its status comes back");
	close(fd);
	fd = env_run(&ve, gone);
	ok(fd >= 0 && env_wait(fd) == -ENOENT,
	   "the result of exec comes by the descriptor");
	refused(env_ctl(fd, ENV_CTL_KILL, NULL, 0), EINVAL,
		"kill on a process descriptor");
	close(fd);

	env_ctl(ve.fd, ENV_CTL_KILL, NULL, 0);
	while (!(env_poll(ve.fd, POLLHUP, 10000) & POLLHUP))
		;
	refused(env_enter(ve.fd, &a, sizeof(a)), ESRCH, "enter when stopped");
	refused(env_ctl(ve.fd, ENV_CTL_FREEZE, NULL, 0), ESRCH, "freeze when stopped");
	env_destroy(&ve);
}

static void test_ctl(void)
{
	struct { struct env_info info; char tail[8]; } big = { 0 };
	struct env_info info;
	struct env_list list = { .nr = 1, .entries = 8 };
	struct env_pty pty = { .cols = 80, .rows = 24 };
	struct env_ve ve;
	envid_t id = 102, none = 103;
	__u32 sig = 65, zero = 0;
	__u64 feat = 1ULL << 33;
	int fd;

	env_start(&ve, 102, TINY, init);
	refused(env_ctl(ve.fd, 0, NULL, 0), EINVAL, "ctl with command 0");
	refused(env_ctl(ve.fd, 1000, NULL, 0), EINVAL, "ctl with command 1000");
	refused(env_ctl(-1, ENV_CTL_KILL, NULL, 0), EBADF, "kill on no descriptor");
	refused(env_ctl(0, ENV_CTL_KILL, NULL, 0), EINVAL, "kill on another file");
	refused(env_ctl(ve.fd, ENV_CTL_KILL, &sig, 4), EINVAL, "kill with an argument");
	refused(env_ctl(ve.fd, ENV_CTL_SIGNAL, &sig, 4), EINVAL, "signal 65");
	ok(env_ctl(ve.fd, ENV_CTL_SIGNAL, &zero, 4) == 0, "signal 0 succeeds");
	refused(env_ctl(ve.fd, ENV_CTL_QUERY, &info, 8), EINVAL, "query with a small size");
	refused(env_ctl(ve.fd, ENV_CTL_QUERY, (void *)8, sizeof(info)), EFAULT,
		"query to a bad pointer");
	ok(env_ctl(ve.fd, ENV_CTL_QUERY, &info, sizeof(info)) == 0 &&
	   info.veid == 102 && info.state == ENV_ST_RUNNING && info.init_pid > 0,
	   "query tells a running VE");
	big.tail[7] = 1;
	refused(env_ctl(ve.fd, ENV_CTL_QUERY, &big, sizeof(big)), E2BIG, "query with an unknown tail");
	big.tail[7] = 0;
	ok(!env_ctl(ve.fd, ENV_CTL_QUERY, &big, sizeof(big)) && big.info.veid == 102,
	   "query with a zero tail succeeds");
	refused(env_ctl(-1, ENV_CTL_LIST, &list, sizeof(list)), EFAULT,
		"list to a bad pointer");
	ok(unprivileged(call_list, &list) == EPERM, "list without privilege: %s",
	   strerror(EPERM));
	refused(env_ctl(ve.fd, ENV_CTL_LIST, &list, sizeof(list)), EINVAL,
		"list with a descriptor");
	refused(env_ctl(-1, ENV_CTL_OPEN, &none, 4), ESRCH, "open of no VE");
	descriptors_gone();
	refused(env_ctl(-1, ENV_CTL_OPEN, &id, 4), EMFILE, "open with no free descriptor");
	descriptors_back();
	fd = env_ctl(-1, ENV_CTL_OPEN, &id, 4);
	ok(fd >= 0, "open of a VE succeeds");
	close(fd);
	refused(env_ctl(ve.fd, ENV_CTL_THAW, NULL, 0), EBUSY, "thaw of what runs");
	ok(env_ctl(ve.fd, ENV_CTL_FREEZE, NULL, 0) == 0, "freeze succeeds");
	refused(env_ctl(ve.fd, ENV_CTL_FREEZE, NULL, 0), EBUSY, "freeze twice");
	ok(env_ctl(ve.fd, ENV_CTL_THAW, NULL, 0) == 0, "thaw succeeds");
	refused(env_ctl(ve.fd, ENV_CTL_FEATURES, &feat, 8), EINVAL, "unknown feature");
	ok(env_ctl(ve.fd, ENV_CTL_OPEN_PTY, &pty, sizeof(pty)) == 0 &&
	   isatty(pty.master) && isatty(pty.slave), "open of a pty succeeds");
	close(pty.master);
	close(pty.slave);
	fd = env_ctl(ve.fd, ENV_CTL_OPEN_NET, NULL, 0);
	ok(fd >= 0, "open of the network namespace succeeds");
	close(fd);
	fd = env_ctl(ve.fd, ENV_CTL_OPEN_USER, NULL, 0);
	ok(fd >= 0, "open of the user namespace succeeds");
	close(fd);
	refused(env_ctl(ve.fd, ENV_CTL_UB_SET, &info, 8), EINVAL, "limits of half the size");
	refused(env_ctl(-1, ENV_CTL_UB_SET, &info, 16), EBADF, "limits of nothing");
	refused(env_ctl(ve.fd, ENV_CTL_UB_STAT, (void *)16, 16), EFAULT, "rows to a bad address");
	refused(env_ctl(ve.fd, ENV_CTL_UB_EVENTS, NULL, 0), EINVAL, "refusals of one VE");
	refused(env_ctl(ve.fd, ENV_CTL_CPU, &info, 8), EINVAL, "CPU time of half the size");
	refused(env_ctl(ve.fd, ENV_CTL_NET_LIMIT,
			&(struct env_netlimit){ .flow_burst = 1 }, sizeof(struct env_netlimit)),
		EINVAL, "a burst without a rate");
	refused(env_ctl(ve.fd, ENV_CTL_NET_LIMIT,
			&(struct env_netlimit){ .__reserved = 1 }, sizeof(struct env_netlimit)),
		EINVAL, "a reserved field");
	ok(!env_ctl(ve.fd, ENV_CTL_NET_LIMIT, &(struct env_netlimit){ .packet_rate = 1000 },
		    sizeof(struct env_netlimit)), "a rate of packets");
	refused(env_ctl(ve.fd, ENV_CTL_ACTIVITY, &info, 8), EINVAL,
		"activity with a small size");
	refused(env_ctl(-1, ENV_CTL_ACTIVITY, &info, sizeof(info)), EBADF,
		"activity of nothing");
	env_destroy(&ve);
}

static int ip_until(int fd, int cmd, int family, const char *text, __u64 deadline)
{
	struct env_ip a = { .family = (__u16)family, .epoch = 1, .deadline = deadline };

	inet_pton(family == AF_INET6 ? AF_INET6 : AF_INET, text, a.addr);
	return env_ctl(fd, (unsigned int)cmd, &a, sizeof(a));
}

static int ip(int fd, int cmd, int family, const char *text)
{
	return ip_until(fd, cmd, family, text, 0);
}

static void test_ip(void)
{
	struct env_ve a, b;

	env_start(&a, 104, TINY, init);
	env_start(&b, 105, TINY, init);
	ok(!ip(a.fd, ENV_CTL_IP_ADD, AF_INET, "10.77.0.4"), "an address is given");
	refused(ip(b.fd, ENV_CTL_IP_ADD, AF_INET, "10.77.0.4"), EADDRINUSE,
		"the same address for another VE");
	ok(!ip(a.fd, ENV_CTL_IP_ADD, AF_INET, "10.77.0.4"), "and renewed");
	refused(ip_until(a.fd, ENV_CTL_IP_DEL, AF_INET, "10.77.0.4", 1), EINVAL,
		"taking an address with a deadline");
	refused(ip(b.fd, ENV_CTL_IP_DEL, AF_INET, "10.77.0.4"), EADDRNOTAVAIL,
		"taking another VE's address");
	refused(ip(a.fd, ENV_CTL_IP_ADD, 77, "10.77.0.5"), EAFNOSUPPORT,
		"an address of family 77");
	refused(ip(a.fd, ENV_CTL_IP_ADD, AF_INET, "224.0.0.1"), EINVAL,
		"a multicast address");
	refused(ip(a.fd, ENV_CTL_IP_ADD, AF_INET6, "fe80::1"), EINVAL,
		"a link-local address");
	refused(ip(a.fd, ENV_CTL_IP_ADD, AF_INET6, "::ffff:10.77.0.4"), EINVAL,
		"an IPv4 address in IPv6 clothes");
	ok(!ip(a.fd, ENV_CTL_IP_ADD, AF_INET6, "fd00:77::4"), "an IPv6 address is given");
	ok(!ip(a.fd, ENV_CTL_IP_DEL, AF_INET, "10.77.0.4"), "and taken back");
	ok(!ip(b.fd, ENV_CTL_IP_ADD, AF_INET, "10.77.0.4"), "then another VE may have it");
	env_destroy(&a);
	ok(!ip(b.fd, ENV_CTL_IP_ADD, AF_INET6, "fd00:77::4"),
	   "the end of a VE gives back what it had");
	env_destroy(&b);
}

static void test_held(void)
{
	struct env_create_args args, held = { 0 };
	struct env_ve ve;

	env_prepare(&ve, 106, TINY, &args, init);
	held.flags = ENV_CREATE_HOLD;
	held.id_first = args.id_first;
	held.id_count = args.id_count;
	held.root_fd = held.cgroup_fd = held.acct_cgroup_fd = -1;
	ve.fd = env_create(&held, sizeof(held));
	ok(ve.fd >= 0, "a held VE is made");
	ok(env_listed() == 0, "it has no number");
	refused(ip(ve.fd, ENV_CTL_IP_ADD, AF_INET, "10.77.0.9"), ESRCH,
		"an address for a held VE");
	refused(env_ctl(ve.fd, ENV_CTL_KILL, NULL, 0), ESRCH, "kill of a held VE");
	refused(env_ctl(ve.fd, ENV_CTL_START, &args, sizeof(args)), EINVAL,
		"start with a range of its own");
	args.id_first = args.id_count = 0;
	args.init.path = 8;
	refused(env_ctl(ve.fd, ENV_CTL_START, &args, sizeof(args)), EFAULT,
		"start with a bad path pointer");
	args.init.path = (uintptr_t)init[0];
	ok(env_ctl(ve.fd, ENV_CTL_START, &args, sizeof(args)) == 0,
	   "it can still be started after that");
	refused(env_ctl(ve.fd, ENV_CTL_START, &args, sizeof(args)), EBUSY,
		"start of what runs");
	close(args.root_fd);
	env_destroy(&ve);
}

/*
 * An init that could not be counted takes its pid namespace along: the VE does not
 * wait for another start.
 */
static void test_spent(void)
{
	struct env_create_args args, held = { .flags = ENV_CREATE_HOLD };
	struct env_info info;
	struct env_ve ve;
	int fd;

	env_prepare(&ve, 107, TINY, &args, init);
	held.id_first = args.id_first;
	held.id_count = args.id_count;
	held.root_fd = held.cgroup_fd = held.acct_cgroup_fd = -1;
	args.id_first = args.id_count = 0;
	ve.fd = env_create(&held, sizeof(held));
	fd = openat(ve.acct, "pids.max", O_WRONLY);
	if (ve.fd < 0 || fd < 0 || write(fd, "0", 1) != 1)
		die("a held VE whose cgroup takes no process");
	refused(env_ctl(ve.fd, ENV_CTL_START, &args, sizeof(args)), EAGAIN,
		"start in a cgroup that takes no process");
	ok(!env_ctl(ve.fd, ENV_CTL_QUERY, &info, sizeof(info)) && info.state == ENV_ST_STOPPED,
	   "it is stopped after that");
	if (write(fd, "max", 3) != 3)
		die("pids.max");
	refused(env_ctl(ve.fd, ENV_CTL_START, &args, sizeof(args)), EBUSY,
		"start of what is stopped");
	close(fd);
	close(args.root_fd);
	env_destroy(&ve);
}

static int bound(int fd, __u32 resource)
{
	struct env_ublimit l = { .resource = resource, .barrier = 1 << 20, .limit = 1 << 20 };
	struct env_ublimits arg = { .limits = (uintptr_t)&l, .nr = 1 };

	return env_ctl(fd, ENV_CTL_UB_SET, &arg, sizeof(arg));
}

/* The cgroups of a VE in one of the node that hands on no controller. */
static void test_no_memory(void)
{
	static const char *const dirs[] = { "/sys/fs/cgroup/bare", "/sys/fs/cgroup/bare/108",
					    "/sys/fs/cgroup/bare/108/init" };
	struct env_create_args args;
	struct env_ve ve;
	int acct, cgroup;

	env_prepare(&ve, 108, TINY, &args, init);
	for (int i = 0; i < 3; i++)
		if (mkdir(dirs[i], 0755) && errno != EEXIST)
			die("%s", dirs[i]);
	acct = args.acct_cgroup_fd = open(dirs[1], O_RDONLY | O_DIRECTORY);
	cgroup = args.cgroup_fd = open(dirs[2], O_RDONLY | O_DIRECTORY);
	ve.fd = env_create(&args, sizeof(args));
	ok(ve.fd >= 0, "a VE whose cgroup has no memory controller");
	refused(bound(ve.fd, UB_PHYSPAGES), EOPNOTSUPP, "has no bound of memory");
	ok(!bound(ve.fd, UB_NUMPROC), "but one of processes");
	env_destroy(&ve);
	close(args.root_fd);
	close(cgroup);
	close(acct);
	for (int i = 2; i >= 0; i--)
		rmdir(dirs[i]);
}

int main(void)
{
	env_require();
	test_create();
	test_enter();
	test_ctl();
	test_ip();
	test_held();
	test_spent();
	test_no_memory();
	return tap_done();
}
