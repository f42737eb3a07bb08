/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_REQUEST_H
#define VE_PORTAL_REQUEST_H

/*
 * One request from its first byte to its answer.  libmicrohttpd's thread fills
 * the first part and sends the last; a worker thread does what lies between.
 * Never in both at a time.
 */
#include <stdbool.h>
#include <stdint.h>

#include "agent/libve/addr.h"
#include "agent/libve/buf.h"
#include "agent/libve/wire.h"
#include "portal/field.h"
#include "portal/token.h"

struct db;
struct json_object;
struct line_seat;
struct route;
struct web;
struct MHD_Response;

enum method {
	METHOD_GET,
	METHOD_POST,
	METHOD_DELETE,
	METHOD_OTHER,
};

struct answer {
	int status;
	const char *type;
	struct buf body;
	char location[128], allow[32];
	char cookie[2][160];
	char nonce[TOKEN_TEXT]; /* of the content security policy; "" for none */
	int retry_after;
	const struct asset *asset; /* a static file instead of body */
	struct MHD_Response *upgrade;
	struct line_seat *seat; /* events that go on; theirs is the body */
	char accept[32]; /* Sec-WebSocket-Accept */
};

struct request {
	struct web *web;
	enum method method;
	char *target; /* raw */
	char path[256];
	const char *query; /* in target, or "" */
	const struct route *route;
	bool api; /* below /api/v1: JSON in and out */
	uint32_t veid; /* from the path */
	int64_t id;
	char name[TERM_NAME_MAX + 1];
	char link[TOKEN_TEXT]; /* from a letter */
	char address[ADDR_TEXT]; /* of the visitor */
	char session[TOKEN_TEXT], visitor[TOKEN_TEXT]; /* cookies, or "" */
	char csrf[TOKEN_TEXT]; /* X-CSRF-Token */
	char origin[160], type[80], site[16];
	char socket_key[32]; /* Sec-WebSocket-Key of an upgrade */
	struct buf body;
	bool too_large, queued;

	struct db *db; /* the worker's, while it has the request */
	uint8_t token[TOKEN_HASH]; /* of the session cookie */
	struct json_object *me; /* session_get(), NULL for a stranger */
	struct fields fields;
	struct answer answer;
};

struct request *request_create(struct web *web, const char *target);
void request_destroy(struct request *r);

/* One Cookie header. */
void request_cookies(struct request *r, const char *header);

/* An unsigned number of the query, @fallback when it is not there or larger
 * than @max. */
uint64_t request_number(const struct request *r, const char *name, uint64_t max,
			uint64_t fallback);

/* The cookie that the CSRF token goes with; a new visitor's when there is
 * none. */
const char *request_bearer(struct request *r);

bool request_is_operator(const struct request *r);

#endif
