// SPDX-License-Identifier: GPL-2.0-only
/* Interfaces of the kernel that no VE has any business with. */
#include "ve.h"

#include <linux/bpf.h>
#include <linux/kernel_read_file.h>

static int ve_refuse(void)
{
	return current_on_node() ? 0 : -EPERM;
}

static int ve_syslog(int type)
{
	return ve_refuse();
}

#ifdef CONFIG_BPF_SYSCALL
static int ve_bpf(int cmd, union bpf_attr *attr, unsigned int size)
{
	return ve_refuse();
}
#endif

static int ve_kernel_module_request(char *name)
{
	return ve_refuse();
}

static int ve_kernel_load_data(enum kernel_load_data_id id, bool contents)
{
	return ve_refuse();
}

static int ve_kernel_read_file(struct file *file, enum kernel_read_file_id id,
			       bool contents)
{
	return ve_refuse();
}

#ifdef CONFIG_PERF_EVENTS
static int ve_perf_event_open(int type)
{
	return ve_refuse();
}
#endif

static struct security_hook_list ve_gate_hooks[] __ro_after_init = {
	LSM_HOOK_INIT(syslog, ve_syslog),
#ifdef CONFIG_BPF_SYSCALL
	LSM_HOOK_INIT(bpf, ve_bpf),
#endif
	LSM_HOOK_INIT(kernel_module_request, ve_kernel_module_request),
	LSM_HOOK_INIT(kernel_load_data, ve_kernel_load_data),
	LSM_HOOK_INIT(kernel_read_file, ve_kernel_read_file),
#ifdef CONFIG_PERF_EVENTS
	LSM_HOOK_INIT(perf_event_open, ve_perf_event_open),
#endif
};

__init void ve_add_gate_hooks(void)
{
	security_add_hooks(ve_gate_hooks, ARRAY_SIZE(ve_gate_hooks), &ve_lsmid);
}
