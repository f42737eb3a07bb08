/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_RELAY_IMPL_H
#define VE_PORTAL_RELAY_IMPL_H

/* What relay.c (the loop and the list) and relay_conn.c (one relay) share. */
#include <pthread.h>

#include "agent/libve/buf.h"
#include "agent/libve/stream.h"
#include "agent/libve/ws.h"
#include "portal/relay.h"

struct json_object;

#define RELAY_GONE 256

enum relay_state {
	RELAY_TICKET, /* waits for the first frame */
	RELAY_GRANT, /* a worker asks the database */
	RELAY_CONNECT, /* to the agent */
	RELAY_OPEN,
	RELAY_CLOSING, /* the closing handshake with the browser */
	RELAY_DEAD,
};

struct relay {
	struct relay *next;
	struct relays *all;
	enum relay_state state;
	struct relay_wish wish;
	struct MHD_UpgradeResponseHandle *urh;
	int fd; /* the browser's, libmicrohttpd's to close */
	struct buf early; /* read before we had it */
	struct buf held; /* messages for a terminal that is not there,
				 * each behind its length */
	struct ws *web, *node;
	struct stream *stream;
	uint8_t ticket[TOKEN_HASH];
	int64_t session; /* once granted */
	int64_t deadline; /* of the state, milliseconds */
	int64_t heard; /* the browser's last message */
	uint32_t web_watched, node_watched;
	bool web_paused, node_paused; /* until the other side has room */
	bool greeted; /* the agent has said something */
	bool again; /* stopped in the middle of much */
	bool asked; /* a worker holds a pointer to it */
	int rc; /* its answer */
	struct json_object *grant;
	char host[64], port[8]; /* of its node, numeric */
};

struct relays {
	struct certs_box *certs;
	struct workers *workers;
	int ep, wake;
	pthread_mutex_t lock; /* list, count, hearing, deaf_since and each
				 * relay's state, session, veid for readers */
	struct relay *list, *fresh;
	size_t count;
	bool hearing;
	int64_t deaf_since;
	/* sessions that ended lately: a grant may be on its way still */
	int64_t gone[RELAY_GONE];
	size_t gone_at;
	struct end {
		struct end *next;
		int64_t session;
		uint32_t veid;
		uint16_t code;
	} * ends;
};

/* A new one, in state RELAY_TICKET. */
void relay_begin(struct relay *r);

/* Do what can be done now. */
void relay_step(struct relay *r);

/* Say @code to the browser and let the agent go. */
void relay_close(struct relay *r, uint16_t code);

/* Milliseconds until relay_step() is due, -1 for never. */
int64_t relay_due(const struct relay *r);

void relay_free(struct relay *r);

#endif
