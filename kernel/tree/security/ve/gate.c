// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interfaces of the kernel that no VE has any business with.  Whole system
 * calls stand in include/linux/ve_syscall.h.
 */
#include "ve.h"

#ifdef CONFIG_MODULES
static int ve_kernel_module_request(char *name)
{
	return current_on_node() ? 0 : -EPERM;
}
#endif

#ifdef CONFIG_PERF_EVENTS
static int ve_perf_event_open(int type)
{
	return current_on_node() || !ve_guard(perf) ? 0 : -EPERM;
}
#endif

static struct security_hook_list ve_gate_hooks[] __ro_after_init = {
#ifdef CONFIG_MODULES
	LSM_HOOK_INIT(kernel_module_request, ve_kernel_module_request),
#endif
#ifdef CONFIG_PERF_EVENTS
	LSM_HOOK_INIT(perf_event_open, ve_perf_event_open),
#endif
};

__init void ve_add_gate_hooks(void)
{
	security_add_hooks(ve_gate_hooks, ARRAY_SIZE(ve_gate_hooks), &ve_lsmid);
}
