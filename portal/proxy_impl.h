/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_PROXY_IMPL_H
#define VE_PORTAL_PROXY_IMPL_H

/* What proxy.c (who, where to) and proxy_pump.c (the bytes) share. */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/libve/addr.h"
#include "agent/libve/buf.h"
#include "agent/libve/err.h"
#include "agent/libve/stream.h"

struct gate;
struct json_object;

struct proxy {
	const char *domain;
	struct certs_box *certs;
	struct workers *workers;
	struct gate *gate;
};

/* One connection, its thread's own but for the answer of the database. */
struct visit {
	struct proxy *proxy;
	int fd; /* the visitor's, without TLS */
	struct addr peer;
	char host[256], label[64], address[ADDR_TEXT];
	struct buf in; /* what the visitor sent */
	size_t head; /* bytes of it that are the request's head */
	struct stream *stream;
	pthread_mutex_t lock; /* of answered */
	pthread_cond_t change;
	bool answered;
	int rc;
	struct json_object *grant;
	struct err e;
};


/* Send @first to the VE, then everything both ways until one side ends or
 * nothing has moved for long.  With @head the first so many bytes of it ask for
 * an upgrade: what is behind them goes there when the VE agrees, else never. */
void visit_pump(struct visit *v, struct buf *first, size_t head);

#endif
