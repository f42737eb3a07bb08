/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_GATE_H
#define VE_PORTAL_GATE_H

/*
 * How many visits there may be at a time: in all, from one network (/24, /64),
 * and to VEs that sleep.  Those who come to a sleeping VE wait for a turn to wake
 * it, in their order, one for each VE and so many for each node at a time, so that
 * a node that does not answer holds up nobody but its own; however many they are,
 * half of all places stay for visits to VEs that are awake.
 */
#include <stdint.h>

#include "agent/libve/addr.h"

#define GATE_VISITS 512
#define GATE_EACH 192 /* from one network */
#define GATE_SLEEPERS (GATE_VISITS / 2) /* that wake, or wait for it */
#define GATE_WAKES 16 /* of one node */
#define GATE_NODE 32 /* a node's name, with the end */

struct gate;

struct gate *gate_create(void);
void gate_destroy(struct gate *g);

/* A place for a visit.  0; -EBUSY when there is none, -EDQUOT when its network has
 * as many as it may. */
int gate_enter(struct gate *g, const struct addr *peer);
void gate_leave(struct gate *g, const struct addr *peer);

/* Wait for a turn to wake @veid on @node, @ms at most.  0; -EBUSY when too many
 * wait already; -ETIMEDOUT. */
int gate_wake(struct gate *g, const char *node, uint32_t veid, int ms);
void gate_woken(struct gate *g, uint32_t veid);

/* How many wait for a turn now. */
unsigned gate_waiting(struct gate *g);

#endif
