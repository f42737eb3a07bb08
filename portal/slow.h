/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_SLOW_H
#define VE_PORTAL_SLOW_H

/*
 * Who takes his time over a request, a byte now and a byte then, would hold a
 * connection for days: libmicrohttpd's timeout is one of silence.  A request is to be
 * there as a whole within SLOW_MS of the connection's beginning, or of the end of the
 * request before.
 */
#include <microhttpd.h>

#define SLOW_MS 30000

struct slow;

/* Never fails; it has a thread of its own. */
struct slow *slow_start(void);

/* For MHD_OPTION_NOTIFY_CONNECTION, with what slow_start() gave. */
void slow_on_connection(void *slow, struct MHD_Connection *conn, void **context,
			enum MHD_ConnectionNotificationCode what);

/* The request is there; the request is over.  On libmicrohttpd's thread. */
void slow_there(struct slow *s, struct MHD_Connection *conn);
void slow_again(struct slow *s, struct MHD_Connection *conn);

#endif
