/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_CLOCK_H
#define VE_AGENT_CLOCK_H

/* [api] The only thread that changes addresses in the kernel. */
#include <stdint.h>

#include "agent/libve/buf.h"

/* A VE ended and the kernel has taken its address back: write it down.  With
 * the state lock held. */
void clock_lease_ended(uint32_t veid);

/* Its rows of /metrics.  With the state lock held. */
void clock_metrics(struct buf *b);

#endif
