/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_WEB_SEND_H
#define VE_PORTAL_WEB_SEND_H

/* An answer on its way to libmicrohttpd, with the headers that each one has. */
#include <microhttpd.h>

#include "agent/libve/err.h"

struct request;

enum MHD_Result send_answer(struct request *r, struct MHD_Connection *conn);

/* The same while the body is still unread: the connection ends with it. */
enum MHD_Result send_refusal(struct request *r, struct MHD_Connection *conn);

/* Whether the request is a WebSocket handshake that we take; keeps its key.
 * 0, or FAULT_SOCKET. */
int send_socket_wanted(struct MHD_Connection *conn, struct request *r,
		       struct err *e);

#endif
