/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_PUMP_H
#define VE_AGENT_PUMP_H

/* [api] Bytes between a client and a port of a VE, both ways, unread. */
#include <stddef.h>
#include <stdint.h>

#define PUMP_CHUNK 16384

void pump_start(void);

/* Takes both descriptors; @extra came with the client's request. */
void pump_add(uint32_t veid, int client, int server, const void *extra,
	      size_t n);

/* End all of a VE's. */
void pump_close(uint32_t veid);

#endif
