// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/user_beancounters, format 2.5: on the node all VEs' rows, in a VE its
 * own.  For root alone, as it always was.
 */
#include "ub.h"

#include <linux/init.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

static void ub_show_ve(struct seq_file *m, struct ve_struct *ve)
{
	struct env_ubstat s;
	int i;

	for (i = 0; i < UB_RESOURCES; i++) {
		ub_stat(ve->ub, i, &s);
		if (!i)
			seq_printf(m, "%10u:", ve->veid);
		else
			seq_printf(m, "%10s ", "");
		seq_printf(m, " %-12s %20llu %20llu %20llu %20llu %20llu\n",
			   ub_names[i] ?: "dummy", s.held, s.maxheld,
			   s.barrier, s.limit, s.failcnt);
	}
}

static void *ub_seq_ve(loff_t after)
{
	struct ve_struct *ve;
	int state;
	envid_t id;

	if (!current_on_node())
		return after < current->ve->veid ? ve_get(current->ve) : NULL;
	do {
		if (after > ENV_VEID_MAX)
			return NULL;
		id = ve_next_id(after, &state);
		ve = id ? ve_lookup(id) : NULL;
		after = id;
	} while (id && !ve);
	return ve;
}

/* The position is the number of the VE that was shown last, plus one. */
static void *ub_seq_start(struct seq_file *m, loff_t *pos)
{
	return *pos ? ub_seq_ve(*pos - 1) : SEQ_START_TOKEN;
}

static void ub_seq_stop(struct seq_file *m, void *v)
{
	if (v && v != SEQ_START_TOKEN)
		ve_put(v);
}

static void *ub_seq_next(struct seq_file *m, void *v, loff_t *pos)
{
	*pos = v == SEQ_START_TOKEN ? 1 : (loff_t)((struct ve_struct *)v)->veid + 1;
	ub_seq_stop(m, v);
	return ub_seq_ve(*pos - 1);
}

static int ub_seq_show(struct seq_file *m, void *v)
{
	if (v == SEQ_START_TOKEN)
		seq_printf(m, "Version: 2.5\n%10s  %-12s %20s %20s %20s %20s %20s\n",
			   "uid", "resource", "held", "maxheld", "barrier",
			   "limit", "failcnt");
	else
		ub_show_ve(m, v);
	return 0;
}

static const struct seq_operations ub_seq_ops = {
	.start	= ub_seq_start,
	.next	= ub_seq_next,
	.stop	= ub_seq_stop,
	.show	= ub_seq_show,
};

static int ub_proc_open(struct inode *inode, struct file *file)
{
	struct user_namespace *ns = current->ve->user_ns;

	if (!ns_capable(ns, CAP_DAC_OVERRIDE) ||
	    !ns_capable(ns, CAP_DAC_READ_SEARCH))
		return -EACCES;
	return seq_open(file, &ub_seq_ops);
}

static const struct proc_ops ub_proc_ops = {
	.proc_open	= ub_proc_open,
	.proc_read	= seq_read,
	.proc_lseek	= seq_lseek,
	.proc_release	= seq_release,
};

static int __init ub_procfs_init(void)
{
	return proc_create("user_beancounters", 0444, NULL, &ub_proc_ops) ?
	       0 : -ENOMEM;
}
fs_initcall(ub_procfs_init);
