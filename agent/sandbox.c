// SPDX-License-Identifier: Apache-2.0
#include "agent/sandbox.h"

#include <errno.h>
#include <linux/fs.h>
#include <linux/ve.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "agent/libve/log.h"

/* clang-format off */
/* All parts: memory, time, threads' ends, descriptors they were given. */
static const char *const common[] = {
	"brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "futex",
	"exit", "exit_group", "pause", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
	"restart_syscall", "clock_gettime", "clock_nanosleep", "gettimeofday",
	"nanosleep", "getpid", "gettid", "getuid", "geteuid", "getrandom",
	"tgkill", "sched_yield", "sched_getaffinity",
	"read", "readv", "write", "writev", "close", "fcntl", "fstat",
	"newfstatat", "lseek", "dup", "ftruncate",
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "poll",
	"ppoll", "eventfd2", "recvmsg", "sendmsg", "recvfrom", "sendto",
	"shutdown", "getsockopt", "setsockopt", "getsockname", "getpeername",
};

/* api: threads, connections, the data base's files. */
static const char *const api_calls[] = {
	"clone", "clone3", "set_robust_list", "rseq", "sigaltstack", "prctl",
	"sched_getparam", "sched_getscheduler", "prlimit64", "sysinfo",
	"accept4", "accept", "socketpair", "sendfile",
	"openat", "open", "access", "faccessat", "faccessat2", "unlink",
	"unlinkat", "pread64", "pwrite64", "fsync", "fdatasync", "stat",
	"lstat", "statx", "getcwd", "fchmod", "fchown", "geteuid", "utimensat",
	"pipe2", "uname",
};

/* term: the rings. */
static const char *const term_calls[] = {
	"memfd_create",
};

/* priv: trees, mounts, and who sweeps them; no exec. */
static const char *const priv_calls[] = {
	"clone", "set_robust_list", "rseq", "wait4", "kill", "prctl",
	"getpriority", "setpriority",
	"close_range", "dup2", "dup3", "pipe2",
	"open", "openat", "mkdir", "mkdirat", "unlinkat", "rmdir", "renameat",
	"getdents64", "fchown", "fchmod", "statx", "stat", "lstat", "fstatfs",
	"statfs", "setfsuid", "setfsgid", "quotactl_fd",
	"fgetxattr", "flistxattr", "fsetxattr", "readlinkat", "linkat", /* packs */
	"symlinkat", "mknodat", "fchownat", "utimensat", "umask", "fsync",
	"syncfs", "pwrite64",
	"open_tree", "mount_setattr", "fsopen", "fsconfig", "fsmount",
	"fchdir", "chdir", /* the layers of an overlay */
	"pread64", /* a VE's CPU time */
	"setns", "bind", "connect", /* inside a VE's network: venv_net.c */
};

/* What the run-time libraries of instrumented builds add. */
static const char *const sanitizer[] = {
	"sigaltstack", "getdents64", "openat", "readlink", "readlinkat",
	"getrlimit", "prlimit64", "sched_getaffinity", "prctl", "clone",
	"wait4", "ptrace", "kill", "getppid", "pipe2", "process_vm_readv",
	"set_robust_list", "rseq", "access", "stat", "clone3", "uname",
	"arch_prctl", "set_tid_address", "open",
};
/* clang-format on */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NSANITIZER (sizeof(sanitizer) / sizeof(sanitizer[0]))
#else
#define NSANITIZER 0
#endif

static void allow_number(scmp_filter_ctx ctx, int nr)
{
	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);

	if (r < 0)
		fatal("seccomp: system call %d: %s", nr, strerror(-r));
}

static void allow(scmp_filter_ctx ctx, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int nr = seccomp_syscall_resolve_name(names[i]);

		if (nr != __NR_SCMP_ERROR) /* else not of this architecture */
			allow_number(ctx, nr);
	}
}

static void allow_ioctl(scmp_filter_ctx ctx, unsigned long request)
{
	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				 SCMP_A1(SCMP_CMP_EQ, request));

	if (r < 0)
		fatal("seccomp: ioctl: %s", strerror(-r));
}

/* Only with this first argument. */
static void allow_first(scmp_filter_ctx ctx, int nr, uint64_t value)
{
	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1,
				 SCMP_A0(SCMP_CMP_EQ, value));

	if (r < 0)
		fatal("seccomp: system call %d: %s", nr, strerror(-r));
}

/* The call was not made; say which it was, and end. */
static void on_violation(int sig, siginfo_t *info, void *context)
{
	log_err("system call %d is not in the sandbox's list",
		info->si_syscall);
	_exit(1);
}

static void allow_kind(scmp_filter_ctx ctx, enum sandbox_kind kind)
{
	switch (kind) {
	case SANDBOX_PRIV:
		allow(ctx, priv_calls,
		      sizeof(priv_calls) / sizeof(priv_calls[0]));
		allow_number(ctx, __NR_env_create);
		allow_number(ctx, __NR_env_enter);
		allow_number(ctx, __NR_env_ctl);
		allow_ioctl(ctx, FS_IOC_FSGETXATTR);
		allow_ioctl(ctx, FS_IOC_FSSETXATTR);
		allow_ioctl(ctx, SIOCSIFADDR);
		allow_ioctl(ctx, SIOCSIFNETMASK);
		allow_first(ctx, SCMP_SYS(socket), AF_INET);
		break;
	case SANDBOX_API:
		allow(ctx, api_calls, sizeof(api_calls) / sizeof(api_calls[0]));
		break;
	case SANDBOX_TERM:
		allow(ctx, term_calls,
		      sizeof(term_calls) / sizeof(term_calls[0]));
		allow_ioctl(ctx, TIOCSWINSZ);
		break;
	}
}

void sandbox_enter(enum sandbox_kind kind)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_TRAP);
	struct sigaction sa = { .sa_sigaction = on_violation,
				.sa_flags = SA_SIGINFO };
	int r;

	if (!ctx)
		fatal("seccomp is not available");
	allow(ctx, common, sizeof(common) / sizeof(common[0]));
	allow_kind(ctx, kind);
	allow(ctx, sanitizer, NSANITIZER);
	/* libraries look for files that they can do without: not worth dying */
	if (kind == SANDBOX_TERM && !NSANITIZER)
		seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat),
				 0);
	allow_ioctl(ctx, TCGETS); /* isatty(), of the log */
	sigaction(SIGSYS, &sa, NULL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	r = seccomp_load(ctx);
	if (r < 0)
		fatal("seccomp: %s", strerror(-r));
	seccomp_release(ctx);
}
