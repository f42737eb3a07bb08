// SPDX-License-Identifier: Apache-2.0
#include "portal/page.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "portal/answer.h"
#include "portal/db_admin.h"
#include "portal/fault.h"

/* A list as JSON, or in a page under the name "rows". */
static int show(struct request *r, int rc, struct json_object *rows,
		const char *page, const struct err *e)
{
	struct json_object *data;
	size_t n;

	if (rc)
		return answer_fault(r, e);
	if (r->api)
		return answer_json(r, 200, rows);
	data = json_object_new_object();
	json_object_object_add(data, "rows", rows);
	n = json_object_array_length(rows);
	if (n == 50) {
		struct json_object *last = json_object_array_get_idx(rows, 49);
		struct json_object *id;

		if (json_object_object_get_ex(last, "id", &id) ||
		    json_object_object_get_ex(last, "veid", &id))
			json_object_object_add(data, "before",
					       json_object_get(id));
	}
	return answer_page(r, 200, page, data);
}

static int64_t before(const struct request *r)
{
	uint64_t n = request_number(r, "before", INT32_MAX, 0);

	return n ? (int64_t)n : -1;
}

int page_admin_nodes(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };
	int rc = db_node_list(r->db, r->token, &v, &e);

	return show(r, rc, v, "admin_nodes", &e);
}

int page_admin_ves(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };
	int rc = db_ve_list(r->db, r->token, before(r), &v, &e);

	return show(r, rc, v, "admin_ves", &e);
}

int page_admin_subscribers(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };
	int rc = db_subscriber_list(r->db, r->token, before(r), &v, &e);

	return show(r, rc, v, "admin_subscribers", &e);
}

int page_admin_pools(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };
	int rc = db_pool_list(r->db, r->token, &v, &e);

	return show(r, rc, v, "admin_pools", &e);
}

int page_admin_audit(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };
	int rc = db_audit_list(r->db, r->token, before(r), &v, &e);

	return show(r, rc, v, "admin_audit", &e);
}

/* The page of a list once more, with what was wrong or what was made. */
static int list_again(struct request *r, const char *page, const char *extra,
		      struct json_object *value, const struct err *e)
{
	struct json_object *data = json_object_new_object(), *rows = NULL;
	struct err other = { 0 };

	if (!r->api) {
		if (!strcmp(page, "admin_nodes"))
			db_node_list(r->db, r->token, &rows, &other);
		else
			db_pool_list(r->db, r->token, &rows, &other);
		json_object_object_add(data, "rows", rows);
	}
	if (extra)
		json_object_object_add(data, extra, value);
	return e ? answer_again(r, page, data, e)
		 : answer_page(r, 201, page, data);
}

int again_nodes(struct request *r, const struct err *e)
{
	return list_again(r, "admin_nodes", NULL, NULL, e);
}

/* The token is in this one answer and nowhere else. */
int do_node_invite(struct request *r)
{
	uint8_t hash[TOKEN_HASH];
	struct json_object *v = NULL;
	char token[TOKEN_TEXT];
	struct err e = { 0 };

	token_make(token);
	token_hash(hash, token);
	if (db_enrolment_make(r->db, r->token, fields_get(&r->fields, "node"),
			      fields_get(&r->fields, "url"),
			      atoi(fields_get(&r->fields, "capacity")), hash,
			      &v, &e))
		return again_nodes(r, &e);
	json_object_object_add(v, "token", json_object_new_string(token));
	if (r->api)
		return answer_json(r, 201, v);
	return list_again(r, "admin_nodes", "made", v, NULL);
}

/* What cannot be undone is asked once more. */
int page_node_revoke(struct request *r)
{
	struct json_object *v = NULL, *id;
	struct err e = { 0 };

	if (db_node_list(r->db, r->token, &v, &e))
		return answer_fault(r, &e);
	for (size_t i = 0; i < json_object_array_length(v); i++) {
		struct json_object *row = json_object_array_get_idx(v, i);
		int rc;

		if (!json_object_object_get_ex(row, "id", &id) ||
		    strcmp(json_object_get_string(id), r->name))
			continue;
		rc = answer_page(r, 200, "admin_revoke", json_object_get(row));
		json_object_put(v);
		return rc;
	}
	json_object_put(v);
	err_set(&e, fault_code(FAULT_NOT_FOUND), "there is no such node");
	return answer_fault(r, &e);
}

int do_node_act(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (db_node_act(r->db, r->token, r->name,
			fields_get(&r->fields, "action"), &v, &e))
		return answer_fault(r, &e);
	return answer_done(r, 200, v, "/admin");
}

/* A node comes with its token. */
int api_enrol(struct request *r)
{
	uint8_t hash[TOKEN_HASH];
	struct json_object *v = NULL;
	struct err e = { 0 };

	token_hash(hash, fields_get(&r->fields, "link"));
	if (db_enrolment_ask(r->db, hash, fields_get(&r->fields, "csr"), &v,
			     &e))
		return answer_fault(r, &e);
	return answer_json(r, 202, v);
}

int api_enrolled(struct request *r)
{
	uint8_t hash[TOKEN_HASH];
	struct json_object *v = NULL, *state;
	struct err e = { 0 };
	bool waits;

	token_hash(hash, fields_get(&r->fields, "link"));
	if (db_enrolment_take(r->db, hash, &v, &e))
		return answer_fault(r, &e);
	waits = json_object_object_get_ex(v, "state", &state) &&
		!strcmp(json_object_get_string(state), "waiting");
	return answer_json(r, waits ? 202 : 200, v);
}

int again_pools(struct request *r, const struct err *e)
{
	return list_again(r, "admin_pools", NULL, NULL, e);
}

int do_pool_add(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (db_pool_add(r->db, r->token, fields_get(&r->fields, "range"),
			atoi(fields_get(&r->fields, "block_len")),
			fields_get(&r->fields, "exclude"), &v, &e))
		return again_pools(r, &e);
	return answer_done(r, 201, v, "/admin/pools");
}

int do_subscriber_act(struct request *r)
{
	const char *action = fields_get(&r->fields, "action");
	const char *why = fields_get(&r->fields, "why");
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (!strcmp(action, "suspend") && !*why)
		err_set(&e, fault_code(FAULT_FIELD),
			"a suspension needs a reason; the subscriber sees it");
	else if (!strcmp(action, "suspend"))
		db_subscriber_suspend(r->db, r->token, r->id, why, &v, &e);
	else if (!strcmp(action, "unsuspend"))
		db_subscriber_unsuspend(r->db, r->token, r->id, &v, &e);
	else
		err_set(&e, fault_code(FAULT_FIELD), "there is no such action");
	if (e.code)
		return answer_fault(r, &e);
	return answer_done(r, 200, v, "/admin/subscribers");
}
