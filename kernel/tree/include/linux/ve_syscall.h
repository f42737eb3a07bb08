/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * THE table of system calls that a VE does not get.  It is looked at while the
 * kernel is compiled: a call that is not in it costs no instruction more, and
 * one that is asks whose task it is.
 */
#ifndef _LINUX_VE_SYSCALL_H
#define _LINUX_VE_SYSCALL_H

#ifdef CONFIG_VE

#include <linux/compiler.h>
#include <linux/errno.h>
#include <uapi/linux/ve.h>
#include <asm/unistd.h>

struct pt_regs;
typedef long (*ve_syscall_fn)(const struct pt_regs *regs);

/* kernel/ve/gate.c: what @fn returns to a task that may, @error to one that may not. */
long ve_syscall_gate(const struct pt_regs *regs, ve_syscall_fn fn, int error,
		     __u64 unless);

#define VE_REFUSE(error, unless) \
	do { *features = (unless); return -(error); } while (0)

/* What the call returns in a VE, and the features that open it; 0: no matter. */
static __always_inline int ve_syscall_verdict(unsigned int nr, __u64 *features)
{
	switch (nr) {
	/* the node's kernel, hardware, clock, swap, accounting, quota */
	case __NR_init_module:
	case __NR_finit_module:
	case __NR_delete_module:
	case __NR_kexec_load:
	case __NR_kexec_file_load:
	case __NR_iopl:
	case __NR_ioperm:
	case __NR_modify_ldt:
	case __NR_settimeofday:
	case __NR_clock_settime:
	case __NR_swapon:
	case __NR_swapoff:
	case __NR_acct:
	case __NR_quotactl:
	case __NR_quotactl_fd:
	case __NR_bpf:
	/* ways to files and tasks that pass by paths and numbers */
	case __NR_open_by_handle_at:
	case __NR_kcmp:
	/* keyrings belong to users of the node, not to namespaces */
	case __NR_add_key:
	case __NR_request_key:
	case __NR_keyctl:
	/* where pages lie */
	case __NR_move_pages:
	case __NR_migrate_pages:
		VE_REFUSE(EPERM, 0);
	/* much code, many holes; programs do without */
	case __NR_io_uring_setup:
	case __NR_io_uring_enter:
	case __NR_io_uring_register:
	case __NR_userfaultfd:
	case __NR_memfd_secret:
	case __NR_uselib:
	case __NR_sysfs:
	case __NR_ustat:
	case __NR_cachestat:
		VE_REFUSE(ENOSYS, 0);
	/* mount(2) does what a VE needs; programs fall back to it */
	case __NR_fsopen:
	case __NR_fsconfig:
	case __NR_fsmount:
	case __NR_fspick:
	case __NR_open_tree:
	case __NR_move_mount:
	case __NR_mount_setattr:
		VE_REFUSE(ENOSYS, ENV_FEAT_NESTING);
	}
	return 0;
}

/* Is number @nr, a constant, in the table? */
static __always_inline bool ve_syscall_gated(unsigned int nr)
{
	__u64 features;

	return ve_syscall_verdict(nr, &features);
}

/* The call of such a number, which @fn is. */
static __always_inline long ve_syscall(unsigned int nr, ve_syscall_fn fn,
				       const struct pt_regs *regs)
{
	__u64 features = 0;
	int error = ve_syscall_verdict(nr, &features);

	return ve_syscall_gate(regs, fn, error, features);
}

#else
#define ve_syscall_gated(nr) false
#define ve_syscall(nr, fn, regs) 0
#endif
#endif
