// SPDX-License-Identifier: GPL-2.0-only
/* /proc/net/venet on the node: the address table. */
#include "venet.h"

#include <linux/init.h>
#include <linux/math64.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/ve.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>

static int venet_show_one(const struct venet_addr *a, void *arg)
{
	struct seq_file *m = arg;

	if (ipv6_addr_v4mapped(&a->key))
		seq_printf(m, "%-39pI4", &a->key.s6_addr32[3]);
	else
		seq_printf(m, "%-39pI6c", &a->key);
	seq_printf(m, " %10u %10u %14llu\n", a->v->ve->veid, a->epoch,
		   div_u64(a->deadline, NSEC_PER_MSEC));
	return seq_has_overflowed(m);
}

static int venet_show(struct seq_file *m, void *v)
{
	seq_puts(m, "address                                       veid      epoch    deadline_ms\n");
	guard(mutex)(&venet_mutex);
	venet_table_walk(venet_show_one, m);
	return 0;
}

static int __init venet_procfs_init(void)
{
	return proc_create_single("venet", 0400, init_net.proc_net,
				  venet_show) ? 0 : -ENOMEM;
}
late_initcall(venet_procfs_init);
