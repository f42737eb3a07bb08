// SPDX-License-Identifier: Apache-2.0
#include "portal/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/libve/log.h"

#ifdef __SANITIZE_ADDRESS__
#define DENY SCMP_ACT_LOG /* the sanitizers make calls of their own */
#else
#define DENY SCMP_ACT_KILL_PROCESS
#endif

/* clang-format off */
/* What libc, threads and OpenSSL need in both parts. */
static const int common[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev),
	SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
	SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk),
	SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq), SCMP_SYS(clone3), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(getrandom), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(tgkill),
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(eventfd2), SCMP_SYS(pipe2), SCMP_SYS(fcntl),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto),
	SCMP_SYS(sendmsg), SCMP_SYS(shutdown), SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
};

static const int front[] = {
	SCMP_SYS(accept4), SCMP_SYS(socketpair),
};

/* Connections out (database, agents) and what resolving their names opens. */
static const int web[] = {
	SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(openat),
	SCMP_SYS(access), SCMP_SYS(stat), SCMP_SYS(uname), SCMP_SYS(ioctl),
	SCMP_SYS(sendmmsg), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(sysinfo),
	SCMP_SYS(readlink), SCMP_SYS(getcwd), SCMP_SYS(prlimit64),
	SCMP_SYS(sendfile), SCMP_SYS(statx), SCMP_SYS(select),
	SCMP_SYS(pselect6),
};
/* clang-format on */

/* Uid 0 that is nobody: no capability, and no way to get one by exec. */
static int drop_capabilities(struct err *e)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[2] = { { 0 } };

	log_warn("started as root without a user to become: "
		 "capabilities are dropped, files of root stay open");
	if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
					     SECBIT_KEEP_CAPS_LOCKED))
		return err_sys(e, "securebits");
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &head, none))
		return err_sys(e, "capset");
	return 0;
}

int sandbox_drop(const char *user, struct err *e)
{
	struct passwd *pw;

	if (geteuid() != 0)
		return 0;
	if (!user)
		return drop_capabilities(e);
	pw = getpwnam(user);
	if (!pw || !pw->pw_uid)
		return err_set(e, -EINVAL, "there is no user %s", user);
	if (setgroups(1, &pw->pw_gid) ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid))
		return err_sys(e, "cannot become %s", user);
	if (!setuid(0))
		return err_set(e, -EPERM, "root could be taken back");
	/* the change of user took it away */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return 0;
}

static int allow(scmp_filter_ctx ctx, const int *calls, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	return rc;
}

#define ALLOW(ctx, list) allow(ctx, list, sizeof(list) / sizeof((list)[0]))

int sandbox_enter(enum sandbox_kind kind, struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(DENY);
	int rc;

	if (!ctx)
		return err_set(e, -ENOMEM, "seccomp");
	/* no memory becomes a program; of prctl a thread's name is left */
	rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
			      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (!rc)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
				      SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
	if (!rc)
		rc = ALLOW(ctx, common);
	if (!rc)
		rc = kind == SANDBOX_FRONT ? ALLOW(ctx, front)
					   : ALLOW(ctx, web);
	/* malloc asks /sys for the number of processors: it takes a no */
	if (!rc && kind == SANDBOX_FRONT)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES),
				      SCMP_SYS(openat), 0);
	/* a message looks whether it goes to a terminal */
	if (!rc && kind == SANDBOX_FRONT)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				      SCMP_A1(SCMP_CMP_EQ, TCGETS));
	if (!rc && prctl(PR_SET_DUMPABLE, 0))
		rc = -errno;
	if (!rc)
		rc = seccomp_load(ctx); /* sets no_new_privs */
	seccomp_release(ctx);
	return rc ? err_set(e, rc, "the system calls cannot be restricted") : 0;
}
