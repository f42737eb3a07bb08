/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_ROUTE_H
#define VE_PORTAL_ROUTE_H

/*
 * THE table: everything that can be asked of the portal, who may ask it, whether
 * a CSRF token is needed, how long a body may be and what it holds.
 * Authorisation is this table and what the SQL functions check again; nothing
 * else.
 */
#include "agent/libve/err.h"
#include "portal/request.h"

enum who {
	WHO_ANYBODY,
	WHO_SESSION, /* whoever is logged in */
	WHO_OPERATOR,
};

enum lane {
	LANE_NONE, /* answered at once, without database */
	LANE_LIGHT,
	LANE_HEAVY, /* hashes a password */
};

enum {
	CSRF = 1 << 0, /* a token and our own Origin */
	SOCKET = 1 << 1, /* a WebSocket handshake, our own Origin */
};

struct route {
	enum method method;
	const char *path; /* {veid}, {id} and {name} are parameters */
	enum who who;
	enum lane lane;
	unsigned flags;
	size_t bound; /* bytes of body */
	const char *fields; /* as fields_check() wants them */
	int (*handler)(struct request *r);
	const char *page; /* of a GET */
	/* Shows the form again with what is wrong; NULL: a page of its own. */
	int (*again)(struct request *r, const struct err *e);
};

/*
 * Find the route of a request and read its parameters.  0; FAULT_NOT_FOUND;
 * FAULT_METHOD with the methods that there are in r->answer.allow.
 */
int route_find(struct request *r, struct err *e);

/* The table, for tests. */
const struct route *route_table(size_t *count);

#endif
