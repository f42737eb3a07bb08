/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_RELAY_H
#define VE_PORTAL_RELAY_H

/*
 * Terminals: a browser's WebSocket on one side, the agent's on the other, one
 * thread with epoll for all of them.  A relay checks each message's type and
 * length and passes it on; it asks the database for the grant when the browser
 * has shown its ticket in the first frame.
 */
#include <stdbool.h>
#include <stdint.h>

#include "agent/libve/err.h"
#include "agent/libve/wire.h"
#include "portal/token.h"

struct MHD_UpgradeResponseHandle;
struct certs_box;
struct relays;
struct workers;

/* What a browser asked for in its handshake. */
struct relay_wish {
	uint8_t token[TOKEN_HASH]; /* of its session */
	uint32_t veid;
	char name[TERM_NAME_MAX + 1];
	uint64_t from; /* resume here; UINT64_MAX: from the start */
	uint16_t cols, rows;
};

/* One terminal that is open, for ear.c. */
struct relay_id {
	int64_t session;
	uint32_t veid;
};

/* @certs are what is shown to agents.  0, or -errno with words. */
int relays_start(struct relays **out, struct certs_box *certs, struct err *e);

/* Begin to work, after the privileges are gone. */
void relays_run(struct relays *all, struct workers *workers);

/* Whether new terminals may be opened now (the portal hears of log-outs). */
bool relays_hearing(const struct relays *all);

/* Take over an upgraded connection: @fd and what was read of it already.  From
 * any thread. */
void relays_add(struct relays *all, const struct relay_wish *wish, int fd,
		const void *read, size_t n,
		struct MHD_UpgradeResponseHandle *urh);

/* Close the terminals of a session, or of a VE (the other is 0).  From any
 * thread. */
void relays_end(struct relays *all, int64_t session, uint32_t veid,
		uint16_t code);

/* Whether we hear.  Deaf for 30 seconds, everything is closed. */
void relays_hear(struct relays *all, bool hearing);

/* The open terminals; the caller frees the array.  From any thread. */
size_t relays_list(struct relays *all, struct relay_id **out);

#endif
