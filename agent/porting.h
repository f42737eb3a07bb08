/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_PORTING_H
#define VE_AGENT_PORTING_H

/* [api] Reaching a port of a VE, which may have to be woken, on behalf of a
 * request that waits.  Workers wake it and make the socket; one thread then awaits
 * the connections of all, for a port that does not accept is the VE's to have. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct porting {
	atomic_int refs;
	atomic_bool done; /* what stands below is valid */
	uint32_t veid;
	uint16_t port;
	int fd;	    /* connected; -1 with a problem */
	int status; /* of the problem */
	const char *problem;
	char detail[160];
	int64_t due; /* of the connection, by mono_ms() */
	TAILQ_ENTRY(porting) next; /* that is awaited */
};

void porting_start(void); /* the threads */

/* Begin; the caller has one reference.  @awake: the VE runs, so it is not to
 * wait behind those that must be woken.  NULL: too many are waiting. */
struct porting *porting_begin(uint32_t veid, uint16_t port, bool awake);

/* Give a reference up; NULL is fine. */
void porting_put(struct porting *p);

#endif
