// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/ve on the node: each VE, live or dying, a line.  A VE that is stopped
 * and still here is held by something, and its references tell how much.
 */
#include "ve.h"

#include <linux/init.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/venet.h>

static const char *const ve_state_names[] = {
	[ENV_ST_EMBRYO]	  = "held",
	[ENV_ST_STARTING] = "starting",
	[ENV_ST_RUNNING]  = "running",
	[ENV_ST_FROZEN]	  = "frozen",
	[ENV_ST_STOPPING] = "stopping",
	[ENV_ST_STOPPED]  = "stopped",
};

static void ve_show_one(struct ve_struct *ve, void *arg)
{
	struct seq_file *m = arg;

	seq_printf(m, "%10u %-8s %10u %5u %5u\n", ve->veid,
		   ve_state_names[ve_state(ve)], ve->id_first,
		   refcount_read(&ve->ref), atomic_read(&ve->nr_fds));
}

static int ve_show(struct seq_file *m, void *v)
{
	seq_puts(m, "      veid state       id_first   ref   fds\n");
	ve_for_each(ve_show_one, m);
	return 0;
}

static int __init ve_procfs_init(void)
{
	return proc_create_single("ve", 0400, NULL, ve_show) ? 0 : -ENOMEM;
}
fs_initcall(ve_procfs_init);
