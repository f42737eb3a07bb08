/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guards of the boundary of VEs, by name.  On a debug kernel each can be
 * switched off (/sys/kernel/debug/ve/guard/NAME), so that the tests can prove
 * that they would notice; elsewhere they are constants.
 */
#ifndef _LINUX_VE_GUARD_H
#define _LINUX_VE_GUARD_H

#include <linux/compiler.h>
#include <linux/types.h>

#define VE_GUARDS(X)							\
	X(capable)	/* no capability beyond the VE */		\
	X(device)	/* opening device nodes */			\
	X(kill)		/* signals */					\
	X(mount)	/* kinds of file system */			\
	X(netlink)	/* protocols and messages */			\
	X(perf)		/* perf_event_open(2) */			\
	X(proc)		/* names in /proc, and writing to them */	\
	X(ptrace)	/* looking into tasks */			\
	X(receive)	/* descriptors from elsewhere */		\
	X(sigio)	/* SIGIO, SIGURG and the notice of queues */	\
	X(socket)	/* families of sockets */			\
	X(source)	/* source addresses of packets */		\
	X(syscall)	/* the table of system calls */			\
	X(sysctl)	/* names below /proc/sys */			\
	X(sysctl_write)	/* writing to them */				\
	X(syslog)	/* the node's kernel log */			\
	X(task)		/* tasks by number */				\
	X(unix)		/* Unix sockets on a shared directory */	\
	X(userns)	/* user namespaces */

enum ve_guard {
#define X(name) VE_GUARD_##name,
	VE_GUARDS(X)
#undef X
	VE_GUARDS_NR
};

#ifdef CONFIG_DEBUG_VE
extern bool ve_guards_off[VE_GUARDS_NR];
#define ve_guard(name) (!READ_ONCE(ve_guards_off[VE_GUARD_##name]))
#else
#define ve_guard(name) true
#endif

#endif
