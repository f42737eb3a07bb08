/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_PORTING_H
#define VE_AGENT_PORTING_H

/* [api] Reaching a port of a VE, which may have to be woken, on behalf of a
 * request that waits. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct porting {
	atomic_int refs;
	atomic_bool done; /* what stands below is valid */
	uint32_t veid;
	uint16_t port;
	int fd;	    /* connected; -1 with a problem */
	int status; /* of the problem */
	const char *problem;
	char detail[160];
};

void porting_start(void); /* the workers */

/* Begin; the caller has one reference.  @awake: the VE runs, so it is not to
 * wait behind those that must be woken.  NULL: too many are waiting. */
struct porting *porting_begin(uint32_t veid, uint16_t port, bool awake);

/* Give a reference up; NULL is fine. */
void porting_put(struct porting *p);

#endif
