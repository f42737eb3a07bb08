// SPDX-License-Identifier: Apache-2.0
#include "agent/sandbox.h"

#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>

#include "agent/libve/log.h"

/* clang-format off */
/* Both parts: memory, time, threads' ends, descriptors they were given. */
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

static void allow(scmp_filter_ctx ctx, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int nr = seccomp_syscall_resolve_name(names[i]);
		int r;

		if (nr == __NR_SCMP_ERROR)
			continue; /* not of this architecture */
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
		if (r < 0)
			fatal("seccomp: %s: %s", names[i], strerror(-r));
	}
}

static void allow_ioctl(scmp_filter_ctx ctx, unsigned long request)
{
	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				 SCMP_A1(SCMP_CMP_EQ, request));

	if (r < 0)
		fatal("seccomp: ioctl: %s", strerror(-r));
}

/* The call was not made; say which it was, and end. */
static void on_violation(int sig, siginfo_t *info, void *context)
{
	log_err("system call %d is not in the sandbox's list",
		info->si_syscall);
	_exit(1);
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
	if (kind == SANDBOX_API)
		allow(ctx, api_calls, sizeof(api_calls) / sizeof(api_calls[0]));
	else
		allow(ctx, term_calls,
		      sizeof(term_calls) / sizeof(term_calls[0]));
	allow(ctx, sanitizer, NSANITIZER);
	allow_ioctl(ctx, TCGETS); /* isatty(), of the log */
	if (kind == SANDBOX_TERM)
		allow_ioctl(ctx, TIOCSWINSZ);
	sigaction(SIGSYS, &sa, NULL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	r = seccomp_load(ctx);
	if (r < 0)
		fatal("seccomp: %s", strerror(-r));
	seccomp_release(ctx);
}
