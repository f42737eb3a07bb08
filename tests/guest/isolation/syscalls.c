// SPDX-License-Identifier: Apache-2.0
/*
 * System calls: every number there is, called with arguments that none can use, in a process that may be killed.
 * Those that answer EPERM or ENOSYS at once are refused; the list has to be the reviewed one, call by call.
 */
#include "iso.h"

#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* The table of include/linux/ve_syscall.h, written a second time on purpose; and what the node's root is told: ENOSYS
 * of those that its kernel is built without. */
static const struct {
	int nr, error, node;
} refused_calls[] = {
	{ SYS_init_module, EPERM, ENOSYS }, { SYS_finit_module, EPERM, ENOSYS }, { SYS_delete_module, EPERM, ENOSYS },
	{ SYS_kexec_load, EPERM, ENOSYS }, { SYS_kexec_file_load, EPERM, ENOSYS }, { SYS_iopl, EPERM, ENOSYS },
	{ SYS_ioperm, EPERM, ENOSYS }, { SYS_modify_ldt, EPERM, ENOSYS }, { SYS_settimeofday, EPERM, EFAULT },
	{ SYS_clock_settime, EPERM, EFAULT }, { SYS_swapon, EPERM, EINVAL }, { SYS_swapoff, EPERM, EFAULT },
	{ SYS_acct, EPERM, ENOSYS }, { SYS_quotactl, EPERM, EINVAL }, { SYS_quotactl_fd, EPERM, EBADF },
	{ SYS_bpf, EPERM, E2BIG }, { SYS_open_by_handle_at, EPERM, EBADF }, { SYS_kcmp, EPERM, ENOSYS },
	{ SYS_add_key, EPERM, EINVAL }, { SYS_request_key, EPERM, EFAULT }, { SYS_keyctl, EPERM, EOPNOTSUPP },
	{ SYS_move_pages, EPERM, ENOSYS }, { SYS_migrate_pages, EPERM, ENOSYS },
	{ SYS_io_uring_setup, ENOSYS, ENOSYS }, { SYS_io_uring_enter, ENOSYS, ENOSYS },
	{ SYS_io_uring_register, ENOSYS, ENOSYS }, { SYS_userfaultfd, ENOSYS, ENOSYS },
	{ SYS_memfd_secret, ENOSYS, ENOSYS }, { SYS_uselib, ENOSYS, ENOSYS }, { SYS_sysfs, ENOSYS, ENOSYS },
	{ SYS_ustat, ENOSYS, EINVAL }, { 451 /* cachestat */, ENOSYS, ENOSYS }, { SYS_fsopen, ENOSYS, EINVAL },
	{ SYS_fsconfig, ENOSYS, EINVAL }, { SYS_fsmount, ENOSYS, EINVAL }, { SYS_fspick, ENOSYS, EINVAL },
	{ SYS_open_tree, ENOSYS, EINVAL }, { SYS_move_mount, ENOSYS, EINVAL }, { SYS_mount_setattr, ENOSYS, EINVAL },
};
#define CALLS (sizeof(refused_calls) / sizeof(refused_calls[0]))
#define HIGHEST 463

/* 0 when each call of the table answers as it says for a VE, or for the node's root. */
static int each_answers(bool node)
{
	int wrong = 0;

	for (size_t i = 0; i < CALLS; i++) {
		int got = iso_ask(refused_calls[i].nr);

		wrong += got != (node ? refused_calls[i].node : refused_calls[i].error);
		if (got != refused_calls[i].node && got != refused_calls[i].error)
			printf("# call %d: %s\n", refused_calls[i].nr, strerror(got));
	}
	return wrong;
}

static int each_refused(void)
{
	return each_answers(false) ? 0 : EPERM;
}

/* Those that this kernel has: an error of the arguments, then. */
static int each_reached(void)
{
	return each_answers(true) ? EPERM : 0;
}

/* Calls that answer ENOSYS on this kernel whoever asks, EPERM whoever root is, or that end the one who asks. */
static bool is_known(int nr)
{
	static const int known[] = {
		/* not in this kernel's configuration, or obsolete */
		329, 330, 331, 450, 134, 136, 139, 156, 174, 177, 178, 180, 181, 182, 183, 184, 185, 205, 211, 212, 214, 215, 236, 237, 238, 239,
		SYS_futex, /* of an operation that there is not */
		/* need a capability that a VE does not have, whatever the arguments */
		SYS_vhangup, SYS_reboot, SYS_syslog, SYS_fanotify_init,
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i] == nr)
			return true;
	return nr > 334 && nr < 424; /* a gap */
}

static int no_other_refused(void)
{
	int bad = 0;

	for (int nr = 0; nr < HIGHEST; nr++) {
		bool listed = is_known(nr);
		int got;

		for (size_t i = 0; i < CALLS; i++)
			listed |= refused_calls[i].nr == nr;
		if (listed)
			continue;
		got = iso_ask(nr);
		if (got == EPERM || got == ENOSYS) {
			printf("# call %d: %s\n", nr, strerror(got));
			bad++;
		}
	}
	return bad ? EPERM : 0;
}

static int mount_interface(void)
{
	return iso_ask(SYS_fsopen) == ENOSYS ? ENOSYS : 0;
}

/* ---- ways to make one call of another ------------------------------------- */

/* A filter that gives @action to call @nr and lets all others pass; with @flags.  Descriptor or 0, or -1. */
static int filter(long nr, unsigned int action, unsigned int flags)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(steps) / sizeof(steps[0]), steps };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

static int listen_for_calls(void)
{
	return iso_errno(filter(SYS_keyctl, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER));
}

static void *answer_one(void *listener)
{
	struct seccomp_notif *q = calloc(1, 4096); /* more than any kernel's */
	struct seccomp_notif_resp a = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	if (!q || ioctl(*(int *)listener, SECCOMP_IOCTL_NOTIF_RECV, q))
		_exit(BROKEN);
	a.id = q->id;
	if (ioctl(*(int *)listener, SECCOMP_IOCTL_NOTIF_SEND, &a))
		_exit(BROKEN);
	return NULL;
}

/* A call of the table that a listener is asked about, and tells the kernel to go on with. */
static int continued_call(void)
{
	static int listener;
	pthread_t thread;

	listener = filter(SYS_keyctl, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	if (listener < 0 || pthread_create(&thread, NULL, answer_one, &listener))
		return BROKEN;
	return iso_errno(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1));
}

/* In a thread of its own: the one call that the tracer sees is getpid. */
static void *be_traced(void *ready)
{
	char c;

	if (read(*(int *)ready, &c, 1) != 1 || ptrace(PTRACE_TRACEME, 0, NULL, NULL) ||
	    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGSTOP))
		_exit(BROKEN);
	_exit(iso_errno(syscall(SYS_getpid, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1)));
}

/* A process of two threads; the filter comes to the traced one from the other. */
static void two_threads(long filtered)
{
	int ready[2];
	pthread_t thread;

	if (pipe(ready) || pthread_create(&thread, NULL, be_traced, &ready[0]) ||
	    (filtered && filter(filtered, SECCOMP_RET_ERRNO | EXDEV, SECCOMP_FILTER_FLAG_TSYNC)) || write(ready[1], "x", 1) != 1)
		_exit(BROKEN);
	for (;;)
		pause();
}

/* What @nr answers where a tracer puts it in place of getpid, after that was looked at. */
static int replaced_call(long nr, bool filtered)
{
	struct user_regs_struct regs;
	int status, pid = fork(), thread;

	if (!pid)
		two_threads(filtered ? nr : 0);
	thread = waitpid(-1, &status, __WALL);
	if (thread == pid || !WIFSTOPPED(status) || ptrace(PTRACE_SYSCALL, thread, NULL, NULL) || waitpid(thread, &status, __WALL) < 0 ||
	    ptrace(PTRACE_GETREGS, thread, NULL, &regs) || regs.orig_rax != SYS_getpid)
		return BROKEN;
	regs.orig_rax = (unsigned long)nr;
	if (ptrace(PTRACE_SETREGS, thread, NULL, &regs) || ptrace(PTRACE_CONT, thread, NULL, NULL))
		return BROKEN;
	while (waitpid(-1, &status, __WALL) != pid) /* the thread ends first */
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : BROKEN;
}

static int replaced_by_keyctl(void)
{
	return replaced_call(SYS_keyctl, false);
}

static int replaced_by_another(void)
{
	return replaced_call(SYS_getppid, false);
}

static int replaced_by_filtered(void)
{
	return replaced_call(SYS_getppid, true);
}

static const struct iso_row rows[] = {
	{ "each call of the table", "syscall", each_refused, { NA, EPERM, EPERM, EPERM } },
	{ "each call of the table, by its arguments", NULL, each_reached, { 0, EPERM, EPERM, EPERM } },
	{ "each call that is not in it", NULL, no_other_refused, { NA, 0, NA, NA } },
	{ "the mount interface", NULL, mount_interface, { 0, ENOSYS, ENOSYS, ENOSYS } },
	{ "the mount interface with the feature", NULL, mount_interface, { NA, 0, 0, ENOSYS }, .features = ENV_FEAT_NESTING },
	{ "a listener for calls of its own processes", NULL, listen_for_calls, { 0, 0, 0, 0 } },
	{ "a call of the table that a listener lets pass", NULL, continued_call, { 0, EPERM, EPERM, EPERM } },
	{ "a call of the table that a tracer makes of another", NULL, replaced_by_keyctl, { 0, EPERM, EPERM, EPERM } },
	{ "any other that a tracer makes of one", NULL, replaced_by_another, { 0, 0, 0, 0 } },
	{ "one that a filter for all threads refuses, which a tracer makes of one", NULL, replaced_by_filtered, { EXDEV, EXDEV, EXDEV, EXDEV } },
};

int main(int argc, char **argv)
{
	return iso_main(argc, argv, ISO_ROWS(rows), NULL);
}
