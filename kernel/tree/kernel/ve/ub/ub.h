/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of kernel/ve/ub share among themselves. */
#ifndef _KERNEL_VE_UB_UB_H
#define _KERNEL_VE_UB_UB_H

#include <linux/ub.h>

#include "../ve.h"

extern const char *const ub_names[UB_RESOURCES]; /* NULL: a dummy row */

/* A row that the memory cgroup counts? */
bool ub_row_of_memcg(int resource);

/* ub.c */
s64 ub_held_about(struct user_beancounter *ub, int resource);
void ub_set_exact(struct user_beancounter *ub, bool exact); /* ub->lock */
void ub_fold(void *ub); /* bring home what this CPU has kept to itself */

/* memcg.c */
void ub_memcg_apply(struct user_beancounter *ub, int resource); /* ub->lock */
s64 ub_memcg_held(struct user_beancounter *ub, int resource);
s64 ub_memcg_maxheld(struct user_beancounter *ub, int resource);

/* event.c */
void ub_event(struct user_beancounter *ub, int resource, u64 refused,
	      const struct ub_who *who);

#endif
