/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_NAME_H
#define VE_AGENT_NAME_H

/* Forms of what outsiders name; used at the HTTP edge and again in priv. */
#include <stdbool.h>
#include <stdint.h>

#include "agent/msg.h"

#define SLOT_FIRST 1000000u /* outside id of root in slot 0 */
#define SLOT_SIZE 65536u
#define SLOT_MAX 32000u	    /* last id stays below 2^31 */

#define CPUS_MAX 4096
#define RATE_MIN 1000	      /* bytes a second */
#define RATE_MAX (1ull << 40)
#define DISK_MAX (1ull << 50) /* bytes */
#define FLOWS_MAX 10000000

static inline uint32_t slot_id(uint32_t slot)
{
	return SLOT_FIRST + slot * SLOT_SIZE;
}

/* Is it the first id of a slot? */
static inline bool is_slot_id(unsigned long id)
{
	return id >= SLOT_FIRST && (id - SLOT_FIRST) % SLOT_SIZE == 0 &&
	       (id - SLOT_FIRST) / SLOT_SIZE < SLOT_MAX;
}

/* [a-z0-9][a-z0-9-]{0,31}: a template or a terminal. */
bool is_name(const char *s);

/* A host name of RFC 1123: labels of letters, digits and inner '-'. */
bool is_hostname(const char *s);

bool is_veid(int64_t veid);

/* Within what the kernel and our own sums can take. */
bool is_limits(const struct limits *l);

#endif
