/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_NETROUTE_H
#define VE_AGENT_NETROUTE_H

/* [priv] The node's routes to what its VEs were lent: by its device venet0. */
#include <stdbool.h>

#include "agent/libve/addr.h"

/* Before priv is confined: the line to the kernel, and the device up.  Without
 * either it says so, and netroute_set() does nothing. */
void netroute_open(void);

/* Whether packets that a VE sends from @from may leave the node, or reach no
 * further than the node and its VEs.  Holds from before the address is lent. */
int netroute_egress(const struct addr *from, bool may);

/* 0, also for what is there already (or not, when taken away), or -errno; -EEXIST
 * where the node has another route to it, which stays. */
int netroute_set(bool add, const struct cidr *to);

#endif
