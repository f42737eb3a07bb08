// SPDX-License-Identifier: Apache-2.0
#include "portal/page.h"

#include <json-c/json.h>

#include "portal/answer.h"
#include "portal/db_account.h"
#include "portal/db_ve.h"
#include "portal/route.h"

/* Opening the link shows a button and does nothing else: mail programs look at
 * links by themselves. */
int page_link(struct request *r)
{
	struct json_object *data = json_object_new_object();

	json_object_object_add(data, "link", json_object_new_string(r->link));
	return answer_page(r, 200, r->route->page, data);
}

int do_keep(struct request *r)
{
	uint8_t hash[TOKEN_HASH];
	struct json_object *v = NULL;
	struct err e = { 0 };

	token_hash(hash, fields_get(&r->fields, "link"));
	if (db_keep_take(r->db, hash, &v, &e))
		return answer_fault(r, &e);
	return r->api ? answer_json(r, 200, v) : answer_page(r, 200, "kept", v);
}

int do_confirm(struct request *r)
{
	uint8_t hash[TOKEN_HASH];
	struct json_object *v = NULL;
	struct err e = { 0 };

	token_hash(hash, fields_get(&r->fields, "link"));
	if (db_account_confirm(r->db, hash, &v, &e))
		return answer_fault(r, &e);
	return r->api ? answer_json(r, 200, v)
		      : answer_page(r, 200, "confirmed", v);
}

int do_confirm_ask(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (db_account_confirm_ask(r->db, r->token, &v, &e))
		return answer_fault(r, &e);
	return answer_done(r, 202, v, "/home");
}
