/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_FRONT_PUMP_H
#define VE_LIBVE_FRONT_PUMP_H

/* One connection of the TLS front; used by front.c only. */
#include <stdint.h>

#include "agent/libve/tls.h"

#define PUMP_BUFFER 16384

struct pump;

/* What epoll hands back: which descriptor of which connection. */
struct pump_end {
	struct pump *pump;
	int fd;
	uint32_t watched; /* events that epoll knows; 0: not added */
};

struct pump_flow {
	unsigned char data[PUMP_BUFFER];
	size_t from, to; /* bytes from..to wait to be written */
	bool ended;	 /* the source gave its last byte */
	bool shut;	 /* and the sink was told */
};

struct pump {
	struct pump *next;
	struct tls_peer peer;
	struct pump_end net, inner;
	SSL *ssl;
	int ep;
	int handover;		/* the caller's end, until it is taken */
	bool ready;		/* the handshake is done */
	bool dead;
	bool read_wants_write;	/* what OpenSSL asked for at last */
	bool write_wants_read;
	int64_t deadline;	/* milliseconds of mono_ms(); 0: none */
	struct pump_flow in;	/* network to caller */
	struct pump_flow out;	/* caller to network */
};

/* Take @fd (closed on failure too).  NULL when there is no room for it. */
struct pump *pump_create(int ep, int fd, SSL_CTX *ctx, unsigned handshake_ms);
void pump_destroy(struct pump *p);

/* Move what can move; sets dead at the end. */
void pump_step(struct pump *p);

/* The caller's end, once, after the handshake; else -1. */
int pump_take_inner(struct pump *p);

static inline struct pump *pump_of(void *tag)
{
	return ((struct pump_end *)tag)->pump;
}

#endif
