/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_PROXY_H
#define VE_PORTAL_PROXY_H

/*
 * Requests for <name>.<domain>: to the published port of the VE of that name,
 * through its node's agent, which wakes it.  A connection is a thread; gate.h says
 * how many there may be, and that a flood of requests for sleeping VEs leaves room
 * for the awake ones.
 */
#include "agent/libve/addr.h"
#include "portal/conf.h"

struct certs_box;
struct proxy;
struct workers;

/* @certs are what is shown to agents.  NULL when no domain is configured. */
struct proxy *proxy_create(const struct conf *c, struct certs_box *certs);
void proxy_run(struct proxy *p, struct workers *workers);

/* Whether a visitor who asked for @name (of the TLS handshake) is ours. */
bool proxy_wants(const struct proxy *p, const char *name);

/* Take the connection @fd, which is the proxy's from here on. */
void proxy_take(struct proxy *p, int fd, const struct addr *peer,
		const char *name);

#endif
