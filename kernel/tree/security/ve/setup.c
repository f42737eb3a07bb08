// SPDX-License-Identifier: GPL-2.0-only
/*
 * The boundary of Virtual Environments.
 *
 * Rule in one sentence: a VE may act only on itself, the node may act on a VE
 * by capabilities that it really has, and VE to VE is always refused.
 *
 * This asks for a task's VE, which no system call changes, where the rest of
 * the kernel asks for user namespaces.  The two are independent.
 */
#include "ve.h"

#include <linux/init.h>
#include <uapi/linux/lsm.h>

const struct lsm_id ve_lsmid = {
	.name = "ve",
	.id = LSM_ID_VE,
};

static int __init ve_lsm_init(void)
{
	ve_add_cred_hooks();
	ve_add_task_hooks();
	ve_add_file_hooks();
	ve_add_socket_hooks();
	ve_add_gate_hooks();
	return 0;
}

DEFINE_LSM(ve) = {
	.name = "ve",
	.order = LSM_ORDER_FIRST,
	.init = ve_lsm_init,
};
