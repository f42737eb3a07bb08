/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_LANES_H
#define VE_AGENT_LANES_H

/*
 * [api] Work that waits for VEs, in two lanes with workers of their own: what
 * must wake a VE first, and what need not, so that no crowd before sleeping VEs
 * stands in anybody's way who wants one that is awake.  A VE whose work does not
 * end (a port that never accepts, a stop that takes its time) holds a quarter of a
 * lane's workers, and others pass it.
 */
#include <stdbool.h>
#include <stdint.h>

struct lanes;

/* Begin with so many workers for each lane; @work is given what was pushed, by
 * one of them.  @what names it when no thread is to be had.  They never end. */
struct lanes *lanes_start(const char *what, unsigned slow, unsigned quick,
			  void (*work)(void *job));

/* False when that lane is full, or has too many for this VE; the job stays the
 * caller's then. */
bool lanes_push(struct lanes *l, bool quick, uint32_t veid, void *job);

#endif
