/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_FRONT_H
#define VE_PORTAL_FRONT_H

/*
 * The part "front": the only process that has the TLS key.  It reads no HTTP, has
 * no database, and hands each connection on in plain.
 */
#include "agent/libve/err.h"
#include "portal/conf.h"

/* @listen, @channel and @certs (new certificates come by it) are its own.
 * Returns only when it cannot begin. */
int front_run(const struct conf *c, int listen, int channel, int certs,
	      struct err *e);

#endif
