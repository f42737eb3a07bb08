/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a VE is told of the machine; fs/proc/ve_stat.c.  Each says whether it
 * has answered: on the node none does.
 */
#ifndef _LINUX_VE_STAT_H
#define _LINUX_VE_STAT_H

#include <linux/types.h>

struct psi_group;
struct seq_file;
struct sysinfo;
struct ve_struct;

#ifdef CONFIG_VE

bool ve_meminfo_show(struct seq_file *m);
bool ve_stat_show(struct seq_file *m);
bool ve_uptime_show(struct seq_file *m);
bool ve_loadavg_show(struct seq_file *m);
void ve_swaps_show(struct seq_file *m);

/* The values of /proc/vmstat, @all bytes from @zone on; @node is among them. */
void ve_vmstat_fill(unsigned long *zone, unsigned long *node, size_t all);
void ve_sysinfo(struct sysinfo *info);
struct psi_group *ve_psi(struct psi_group *nodes);

/* A time since the node's boot as the caller sees it: since its VE's start. */
u64 ve_boottime_ns(u64 ns);

struct ve_shown *ve_shown_alloc(void); /* NULL: no memory; kfree() ends it */
void ve_load_init(struct ve_struct *ve);
void ve_load_stop(struct ve_struct *ve); /* sleeps */

#else

static inline bool ve_meminfo_show(struct seq_file *m) { return false; }
static inline bool ve_stat_show(struct seq_file *m) { return false; }
static inline bool ve_uptime_show(struct seq_file *m) { return false; }
static inline bool ve_loadavg_show(struct seq_file *m) { return false; }
static inline void ve_swaps_show(struct seq_file *m) { }
static inline void ve_vmstat_fill(unsigned long *zone, unsigned long *node, size_t all) { }
static inline void ve_sysinfo(struct sysinfo *info) { }
static inline struct psi_group *ve_psi(struct psi_group *nodes) { return nodes; }
static inline u64 ve_boottime_ns(u64 ns) { return ns; }

#endif
#endif
