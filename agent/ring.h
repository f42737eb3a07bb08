/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_RING_H
#define VE_AGENT_RING_H

/*
 * [term] The last RING_SIZE bytes that a terminal said, numbered from its first
 * byte on.  In a memfd, so that the supervisor can hold it over a restart;
 * pages come as they are written.
 */
#include <stddef.h>
#include <stdint.h>

#define RING_SIZE (1u << 20)

struct ring;

/* A fresh one; NULL when there is no memory or descriptor. */
struct ring *ring_create(void);

/* One that a former life made; takes @fd (closed on failure).  NULL when it is
 * none. */
struct ring *ring_adopt(int fd);
void ring_destroy(struct ring *r);

int ring_fd(const struct ring *r);
uint64_t ring_lo(const struct ring *r); /* number of the oldest byte held */
uint64_t ring_hi(const struct ring *r); /* number of the next byte */

void ring_put(struct ring *r, const void *data, size_t n);

/* Copy up to @n bytes from number @seq (within lo..hi) on; how many. */
size_t ring_read(const struct ring *r, uint64_t seq, void *out, size_t n);

#endif
