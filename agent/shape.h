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
#include "agent/name.h"

#define SHAPE_MAJOR 0x7e00 /* of all classes; their own numbers are below it */
#define SHAPE_MARK(class) ((uint32_t)SHAPE_MAJOR << 16 | (class))

/*
 * Packets a second that any VE may send, and how many at a time: bytes are its
 * plan's, but each packet costs the node as much as the others, and one to a
 * neighbour is in the neighbour's class.  A stream is sent in big ones.
 */
#define SHAPE_PACKETS 2000
#define SHAPE_PACKETS_BURST 500
/* More where the plan has bytes for more, of this size. */
#define SHAPE_PACKET_BYTES 1000

static inline uint32_t shape_packets(const struct rate *up)
{
	uint64_t most = (up->ceil > up->rate ? up->ceil : up->rate) /
			SHAPE_PACKET_BYTES;

	return most < SHAPE_PACKETS ? SHAPE_PACKETS
	       : most > FLOWS_MAX   ? FLOWS_MAX
				    : (uint32_t)most;
}

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
