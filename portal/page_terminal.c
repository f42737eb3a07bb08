// SPDX-License-Identifier: Apache-2.0
#include "portal/page.h"

#include <string.h>

#include <json-c/json.h>
#include <microhttpd.h>

#include "agent/libve/clean.h"
#include "agent/libve/ws.h"
#include "portal/answer.h"
#include "portal/db_ve.h"
#include "portal/fault.h"
#include "portal/relay.h"
#include "portal/web.h"

int api_ticket(struct request *r)
{
	uint8_t hash[TOKEN_HASH];
	struct json_object *v = NULL;
	char ticket[TOKEN_TEXT];
	struct err e = { 0 };

	token_make(ticket);
	token_hash(hash, ticket);
	if (db_ticket_create(r->db, r->token, r->veid, hash, &v, &e))
		return answer_fault(r, &e);
	json_object_object_add(v, "ticket", json_object_new_string(ticket));
	return answer_json(r, 201, v);
}

struct handover {
	struct relays *relays;
	struct relay_wish wish;
};

/* libmicrohttpd has sent the 101: the socket is the relay's. */
static void on_upgrade(void *cls, struct MHD_Connection *conn, void *con_cls,
		       const char *extra, size_t n, MHD_socket fd,
		       struct MHD_UpgradeResponseHandle *urh)
{
	struct handover *h = cls;

	relays_add(h->relays, &h->wish, fd, extra, n, urh);
	free(h);
}

int do_terminal(struct request *r)
{
	struct relays *relays = web_site(r->web)->relays;
	struct handover *h;
	struct err e = { 0 };

	if (!relays_hearing(relays)) {
		err_set(&e, fault_code(FAULT_AWAY),
			"terminals cannot be opened at the moment");
		return answer_fault(r, &e);
	}
	h = xcalloc(1, sizeof(*h));
	h->relays = relays;
	h->wish = (struct relay_wish){
		.veid = r->veid,
		.from = request_number(r, "from", INT64_MAX, UINT64_MAX),
		.cols = (uint16_t)request_number(r, "cols", TERM_SIZE_MAX, 80),
		.rows = (uint16_t)request_number(r, "rows", TERM_SIZE_MAX, 24),
	};
	if (!h->wish.cols)
		h->wish.cols = 80;
	if (!h->wish.rows)
		h->wish.rows = 24;
	strcpy(h->wish.name, r->name);
	memcpy(h->wish.token, r->token, TOKEN_HASH);
	ws_accept(r->answer.accept, r->socket_key);
	r->answer.status = MHD_HTTP_SWITCHING_PROTOCOLS;
	r->answer.upgrade = MHD_create_response_for_upgrade(on_upgrade, h);
	return 0;
}
