/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_PROXY_HEAD_H
#define VE_PORTAL_PROXY_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/libve/buf.h"
#include "agent/libve/err.h"

#define HEAD_MAX 16384

/* Where the head of the request at @s ends (behind the empty line), 0 when it is
 * not all there. */
size_t head_length(const char *s, size_t n);

/*
 * The head of a visitor's request as the program in the VE gets it.  It must be
 * HTTP/1.1, each line whole and clean, and name exactly one Host, which is @host
 * (a port behind it is ignored).  What the visitor says of itself
 * (X-Forwarded-*, Forwarded) is replaced by what is true, and the connection
 * carries this one request, or what it is upgraded to: *@upgrade is whether that
 * is asked for.  It is not where there is a body, which would have to go there
 * before the answer, nor for HTTP/2.  0, or a fault's code with words.
 */
int head_rewrite(struct buf *out, const char *s, size_t n, const char *host,
		 const char *address, bool *upgrade, struct err *e);

#endif
