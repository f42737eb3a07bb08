// SPDX-License-Identifier: Apache-2.0
#include "portal/web_send.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent/libve/wire.h"
#include "portal/answer.h"
#include "portal/asset.h"
#include "portal/fault.h"
#include "portal/line.h"
#include "portal/web.h"

static void add(struct MHD_Response *m, const char *name, const char *value)
{
	MHD_add_response_header(m, name, value);
}

static void add_policy(struct MHD_Response *m, const struct request *r)
{
	const char *nonce = r->answer.nonce;
	char text[640];

	snprintf(text, sizeof(text),
		 "default-src 'none'; script-src 'self'; "
		 "style-src-elem 'self'%s%s%s; style-src-attr 'none'; "
		 "img-src 'self'; connect-src 'self'; form-action 'self'; "
		 "base-uri 'none'; frame-ancestors 'none'; "
		 "require-trusted-types-for 'script'",
		 *nonce ? " 'nonce-" : "", nonce, *nonce ? "'" : "");
	add(m, "Content-Security-Policy", text);
}

static void add_common(struct MHD_Response *m, const struct request *r)
{
	add_policy(m, r);
	add(m, "X-Content-Type-Options", "nosniff");
	add(m, "X-Frame-Options", "DENY");
	add(m, "Referrer-Policy", "same-origin");
	add(m, "Cross-Origin-Opener-Policy", "same-origin");
	add(m, "Cross-Origin-Resource-Policy", "same-origin");
	add(m, "Permissions-Policy",
	    "camera=(), microphone=(), geolocation=(), payment=(), usb=()");
	if (!web_site(r->web)->is_local)
		add(m, "Strict-Transport-Security",
		    "max-age=63072000; includeSubDomains");
}

static void add_own(struct MHD_Response *m, const struct request *r)
{
	const struct answer *a = &r->answer;
	char number[16];

	if (a->type)
		add(m, "Content-Type", a->type);
	if (*a->location)
		add(m, "Location", a->location);
	if (*a->allow)
		add(m, "Allow", a->allow);
	for (int i = 0; i < 2 && *a->cookie[i]; i++)
		add(m, "Set-Cookie", a->cookie[i]);
	if (a->retry_after) {
		snprintf(number, sizeof(number), "%d", a->retry_after);
		add(m, "Retry-After", number);
	}
}

static struct MHD_Response *make_asset(struct request *r,
				       struct MHD_Connection *conn)
{
	const struct asset *a = r->answer.asset;
	const char *has = MHD_lookup_connection_value(conn, MHD_HEADER_KIND,
						      "If-None-Match");
	struct MHD_Response *m;

	r->answer.type = a->type;
	if (has && !strcmp(has, a->etag)) {
		r->answer.status = 304;
		m = MHD_create_response_from_buffer(0, NULL,
						    MHD_RESPMEM_PERSISTENT);
	} else {
		m = MHD_create_response_from_buffer(a->body.len, a->body.data,
						    MHD_RESPMEM_PERSISTENT);
	}
	add(m, "ETag", a->etag);
	add(m, "Cache-Control", "no-cache");
	return m;
}

static struct MHD_Response *make(struct request *r, struct MHD_Connection *conn)
{
	struct answer *a = &r->answer;
	struct MHD_Response *m;

	if (a->upgrade) {
		add(a->upgrade, "Upgrade", "websocket");
		add(a->upgrade, "Sec-WebSocket-Accept", a->accept);
		add(a->upgrade, "Sec-WebSocket-Protocol", TERM_PROTOCOL);
		return a->upgrade;
	}
	if (a->asset) {
		m = make_asset(r, conn);
	} else if (a->seat) {
		m = line_response(a->seat, conn);
		a->seat = NULL;
		add(m, "Cache-Control", "no-store");
	} else {
		m = MHD_create_response_from_buffer(a->body.len, a->body.data,
						    MHD_RESPMEM_MUST_COPY);
		add(m, "Cache-Control", "no-store");
	}
	add_common(m, r);
	add_own(m, r);
	return m;
}

enum MHD_Result send_answer(struct request *r, struct MHD_Connection *conn)
{
	struct MHD_Response *m = make(r, conn);
	enum MHD_Result rc =
		MHD_queue_response(conn, (unsigned)r->answer.status, m);

	MHD_destroy_response(m);
	return rc;
}

enum MHD_Result send_refusal(struct request *r, struct MHD_Connection *conn)
{
	struct MHD_Response *m = make(r, conn);
	enum MHD_Result rc;

	add(m, "Connection", "close");
	rc = MHD_queue_response(conn, (unsigned)r->answer.status, m);
	MHD_destroy_response(m);
	return rc;
}

static const char *header(struct MHD_Connection *conn, const char *name)
{
	const char *v =
		MHD_lookup_connection_value(conn, MHD_HEADER_KIND, name);

	return v ? v : "";
}

int send_socket_wanted(struct MHD_Connection *conn, struct request *r,
		       struct err *e)
{
	const char *key = header(conn, "Sec-WebSocket-Key");

	if (strcasecmp(header(conn, "Upgrade"), "websocket") ||
	    !strcasestr(header(conn, "Connection"), "upgrade") ||
	    strcmp(header(conn, "Sec-WebSocket-Version"), "13") ||
	    !strstr(header(conn, "Sec-WebSocket-Protocol"), TERM_PROTOCOL) ||
	    strlen(key) != 24)
		return err_set(e, fault_code(FAULT_SOCKET),
			       "terminals speak WebSocket with " TERM_PROTOCOL);
	snprintf(r->socket_key, sizeof(r->socket_key), "%s", key);
	return 0;
}
