/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_HTTP_H
#define VE_AGENT_HTTP_H

/*
 * [api] libmicrohttpd behind libve's TLS front and behind the control socket:
 * the sanity filter, bodies, replies.  What there is to call stands in route.c.
 */
#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/libve/buf.h"
#include "agent/libve/json.h"
#include "agent/msg.h"

#define BODY_MAX 65536
#define WAIT_MAX 60 /* seconds of a long poll */

enum role {
	ROLE_CONTROL = 1 << 0,
	ROLE_TERMINAL = 1 << 1,
	ROLE_METRICS = 1 << 2,
	ROLE_ANY = 1 << 3,   /* a certificate of our CA, whatever it says */
	ROLE_LOCAL = 1 << 4, /* root on this node, by the control socket */
};

struct route;

struct request {
	struct MHD_Connection *conn;
	const struct route *route;
	unsigned roles;	   /* of the caller, enum role */
	uint32_t veid;	   /* {veid} */
	char id[65];	   /* {id}, {port}: decimal or a name */
	char name[MSG_NAME]; /* {name} */
	struct buf body;
	bool too_large;
	int64_t deadline;  /* clock_mono() of a long poll, 0: none yet */
	uint64_t mark;	   /* http_mark() when the handler was called */
	int64_t asked;	   /* clock_mono(): usage from then on will do, 0: none yet */
	bool may_hold;	   /* what is answered may tell of what was written */
	struct MHD_Response *held; /* until that is on the disk */
	int held_status;
	struct porting *porting; /* a port that is being reached */
	void *upgrade;	   /* heap, handed over when the upgrade happens */
	unsigned nheaders;
	struct {
		const char *name;
		char value[160];
	} headers[6];
};

typedef enum MHD_Result (*handler)(struct request *q);

struct route {
	const char *method, *path;
	unsigned roles; /* any of them will do */
	size_t body;	/* bound, 0: none is taken */
	handler run;
};

/* route.c.  NULL with the problem's status in @status (404 or 405). */
const struct route *route_find(const char *method, const char *path,
			       struct request *q, int *status);
/* Roles that a name in a certificate gives. */
unsigned route_roles(const char *role);

/* ---- what handlers use ---- */

/* A header of the request, NULL when missing. */
const char *http_header(const struct request *q, const char *name);
/* Decimal query argument: 0 and @out, or -EINVAL; @out stays when missing. */
int http_argument(const struct request *q, const char *name, uint64_t max,
		  uint64_t *out);
/* Text of a query argument, NULL when missing. */
const char *http_text(const struct request *q, const char *name);

/* A header of the reply; @name must live on. */
void http_add(struct request *q, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Replies; @body is emptied. */
enum MHD_Result http_json(struct request *q, int status, struct buf *body);
enum MHD_Result http_empty(struct request *q, int status);
enum MHD_Result http_send(struct request *q, int status, const char *type,
			  struct buf *body);
enum MHD_Result http_problem(struct request *q, int status, const char *name,
			     const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Call the handler again when its topic is woken, or at its deadline.  What is
 * woken between the handler's look and its wait is not missed.
 */
enum MHD_Result http_wait(struct request *q, uint64_t topic);
/* For content readers (sse.c): suspend until the topic is woken or @deadline
 * (clock_mono()), or until all that was written is on the disk; @mark is what
 * http_mark() said before the reader looked.  false: too many wait. */
uint64_t http_mark(void);
bool http_wait_reader(struct MHD_Connection *conn, uint64_t topic,
		      uint64_t mark, int64_t deadline);
bool http_hold_reader(struct MHD_Connection *conn);

/* ---- the machine (http.c); link.c hands the sockets in ---- */
void http_listen(int fd);
/* New files of certificate, key and authority; the descriptors stay the
 * caller's.  What does not fit together changes nothing. */
void http_renew(const int fds[static 3]);
void http_accept_local(int listen_fd);

#endif
