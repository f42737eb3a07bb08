/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_CLIENT_H
#define VE_LIBVE_CLIENT_H

/*
 * REST client of an agent: one connection, kept open between calls.  For one
 * thread at a time.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/libve/buf.h"
#include "agent/libve/err.h"

struct client;

struct client_conf {
	const char *base;	 /* "https://10.0.0.5:7443", no slash at the end */
	const char *ca;		 /* PEM files; NULL with @unix_path */
	const char *cert, *key;
	const char *node;	 /* id that the server's certificate must name */
	const char *unix_path;	 /* speak plain HTTP over this socket instead */
};

/* A reply.  { 0 } before the first use; reply_free() at the end or _reply_. */
struct reply {
	long status;
	char etag[64];	     /* with its quotes */
	char location[256];
	char type[64];	     /* Content-Type without parameters */
	long retry_after;    /* seconds, 0 when not said */
	struct buf body;     /* NUL-terminated when not empty */
	char problem[48];    /* "ve-busy" of urn:vestibule:problem:ve-busy */
	char detail[240];    /* the problem's words */
};

void reply_free(struct reply *r);
#define _reply_ __attribute__((cleanup(reply_free)))

#define CLIENT_BODY_MAX (4u << 20) /* longest reply that is taken */

/* Strings of @conf are copied.  0, or -errno with words. */
int client_open(struct client **out, const struct client_conf *conf,
		struct err *e);
void client_close(struct client *c);

struct call {
	const char *method, *path; /* "PUT", "/v1/ves/7" */
	const char *const *headers; /* "If-Match: \"3-1\"" ..., NULL at the end */
	const char *body;	   /* JSON; NULL for none */
	size_t len;
	long timeout_ms;	   /* of the whole call; 0: 30,000 */
};

/*
 * Make a call.  0 when a reply of whatever status came (look at r->status;
 * problem and detail are filled from a problem document).  Negative when none
 * came: -ETIMEDOUT, -ECONNREFUSED, -EACCES (certificates), -EIO, with words.
 * @r is emptied first.
 */
int client_call(struct client *c, const struct call *call, struct reply *r,
		struct err *e);

/* One server-sent event; the strings live as long as the callback. */
struct sse {
	const char *id, *event, *data;
};

/*
 * Follow an event stream until the callback returns non-zero (then 0 is
 * returned), the server ends it (-EPIPE), or nothing came for 60 s
 * (-ETIMEDOUT).  @last_id (or NULL) is sent as Last-Event-ID.  The callback is
 * also made with NULL about once a second, so that it can stop.
 */
int client_follow(struct client *c, const char *path, const char *last_id,
		  int (*cb)(void *arg, const struct sse *ev), void *arg,
		  struct err *e);

#endif
