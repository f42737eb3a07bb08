/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_SANITY_H
#define VE_PORTAL_SANITY_H

/*
 * What libmicrohttpd 0.9.75 lets through and nobody needs: a request is looked
 * at here before anything else sees it.  Two readings of one request (a proxy's
 * and ours) are what smuggling lives on, so whatever could be read in two ways
 * is refused.
 */
#include <stddef.h>

#include "agent/libve/err.h"

#define SANITY_TARGET_MAX 2048

struct sanity {
	unsigned hosts, lengths,
		encodings; /* how often each header stood there */
	size_t length; /* Content-Length */
	char host[128];
	struct err e; /* the first thing that is wrong */
};

/* The raw request target: absolute path, visible ASCII, well-formed escapes,
 * no escaped NUL or control byte. */
void sanity_target(struct sanity *s, const char *target);

/* One header, with its length in bytes. */
void sanity_header(struct sanity *s, const char *name, size_t name_len,
		   const char *value, size_t value_len);

/* After the last header.  @host is the only Host that is ours.  0 or a fault's
 * code, its words in s->e. */
int sanity_end(struct sanity *s, const char *method, const char *version,
	       const char *host);

#endif
