/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_OP_RUN_H
#define VE_AGENT_OP_RUN_H

/* [api] What each kind of operation does; used by op.c. */
#include <stdint.h>

#include "agent/libve/err.h"
#include "agent/ve.h"

/* Carry it out: 0 or -errno with words.  Takes and releases the lock. */
int op_run(int64_t id, uint32_t veid, const char *kind, struct err *e);

/* Tell priv what @v may use. */
int op_apply(const struct ve *v, struct err *e);

/* Show how far it is. */
void op_stage(int64_t id, const char *stage);

#endif
