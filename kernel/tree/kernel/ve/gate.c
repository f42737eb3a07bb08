// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the rest of the kernel asks about a VE where no security hook stands.
 */
#include "ve.h"

#include <linux/nsproxy.h>
#include <linux/random.h>
#include <linux/syslog.h>
#include <linux/utsname.h>
#include <linux/ve_guard.h>
#include <linux/ve_syscall.h>

long ve_syscall_gate(const struct pt_regs *regs, ve_syscall_fn fn, int error,
		     __u64 unless)
{
	if (current_on_node() || !ve_guard(syscall) ||
	    READ_ONCE(current->ve->features) & unless)
		return fn(regs);
	return error;
}

/* The kernel log of a VE is empty: 1 to go on, else what syslog(2) returns. */
int ve_syslog_gate(int type)
{
	if (current_on_node() || !ve_guard(syslog))
		return 1;
	switch (type) {
	case SYSLOG_ACTION_CLOSE:
	case SYSLOG_ACTION_OPEN:
	case SYSLOG_ACTION_READ_ALL:
	case SYSLOG_ACTION_SIZE_UNREAD:
	case SYSLOG_ACTION_SIZE_BUFFER:
		return 0;
	}
	return -EPERM;
}

/* Each VE has a boot id of its own: that of the node would tell who shares it. */
u8 *ve_boot_id(u8 *nodes)
{
	return current_on_node() ? nodes : current->ve->boot_id;
}
