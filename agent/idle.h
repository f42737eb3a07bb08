/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_IDLE_H
#define VE_AGENT_IDLE_H

/*
 * [api] What keeps a VE awake, and who sleeps by it.  Activity is what the kernel
 * counts (CPU time, waits for a disk, packets that a socket took), input of terminals, and whoever
 * comes; an open stream or tab is none.  Kept in memory: a new api lets every VE
 * begin anew.  With the state lock held.
 */
#include "agent/ve.h"

enum idle_why {
	IDLE_STARTED,
	IDLE_TERMINAL,
	IDLE_VISIT, /* a stream was opened */
	IDLE_CPU,
	IDLE_DISK, /* it waits for one */
	IDLE_NETWORK,
	IDLE_EXTENDED,
	IDLE_FROZEN, /* the end of all that */
};

void idle_touch(uint32_t veid, enum idle_why why);
/* It is sent to sleep; has somebody come since? */
void idle_begin(uint32_t veid);
bool idle_wanted(uint32_t veid);
/* Grows with each sleep of any VE: who knows that somebody came may save
 * himself to say so again until then.  Without the lock. */
unsigned idle_sleeps(void);
void idle_forget(uint32_t veid);
/* Its state and rule, as they are written down. */
void idle_know(const struct ve *v);

/* Members activity and idle_at of a status. */
void idle_show(const struct ve *v, struct json_out *o);

/* Start the thread that judges; with the lock held too. */
void idle_start(void);

#endif
