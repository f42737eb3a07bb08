/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_SHAPE_H
#define VE_AGENT_SHAPE_H

/*
 * [priv] Bandwidth, shared by one tree of HTB classes a direction: what leaves
 * the node by its uplink, and what goes to its VEs by venet0.  Each class has a
 * rate that it always gets, a ceiling up to which it borrows what others leave
 * idle, and a fq_codel queue.  A packet's mark is the number of its class; a
 * packet without one is nobody's and waits for nobody.
 */
#include <stdbool.h>
#include <stdint.h>

#include "agent/msg.h"

#define SHAPE_MAJOR 0x7e00 /* of all classes; their own numbers are below it */
#define SHAPE_MARK(class) ((uint32_t)SHAPE_MAJOR << 16 | (class))

/* Before priv is confined: the line to the kernel and the trees, where
 * @rate bytes a second are to be shared.  An @uplink that is not there is said,
 * and its direction left alone. */
void shape_open(const char *uplink, uint64_t rate);

/* Make the class or change its rates; a direction without a rate has none.  0 or
 * -errno. */
int shape_set(uint32_t class, const struct rate *up, const struct rate *down);

/* 0 also when there is none. */
int shape_drop(uint32_t class);

/* Ask @wanted about each class that is there; those that are not go. */
void shape_adopt(bool (*wanted)(void *arg, uint32_t class), void *arg);

#endif
