// SPDX-License-Identifier: Apache-2.0
#include "portal/page.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "agent/libve/clean.h"
#include "portal/answer.h"
#include "portal/db_account.h"
#include "portal/db_ve.h"
#include "portal/fault.h"
#include "portal/line.h"
#include "portal/route.h"
#include "portal/sshkey.h"
#include "portal/web.h"

/* The VE in a home_get() answer, 0 when there is none. */
static uint32_t veid_of(struct json_object *home)
{
	struct json_object *ve, *veid;

	if (!json_object_object_get_ex(home, "ve", &ve) || !ve ||
	    !json_object_object_get_ex(ve, "veid", &veid))
		return 0;
	return (uint32_t)json_object_get_int(veid);
}

static void put_templates(struct request *r, struct json_object *home)
{
	struct json_object *list = NULL;
	struct err e = { 0 };

	if (!db_template_list(r->db, &list, &e))
		json_object_object_add(home, "templates", list);
}

int page_home(struct request *r)
{
	struct json_object *home = NULL;
	struct err e = { 0 };

	if (request_is_operator(r))
		return answer_redirect(r, "/admin");
	if (db_home_get(r->db, r->token, &home, &e))
		return answer_fault(r, &e);
	if (veid_of(home)) {
		answer_redirect(r, "/ves/%u", veid_of(home));
		json_object_put(home);
		return 0;
	}
	put_templates(r, home);
	return answer_page(r, 200, "home", home);
}

static int64_t number_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_int64(v)
						     : 0;
}

/*
 * The line as server-sent events: the first says the place as it is, and the
 * connection stays for those that follow.  Who finds no seat gets the one event
 * and comes again by itself.
 */
int page_home_events(struct request *r)
{
	struct json_object *home = NULL, *queue = NULL;
	struct line_seat *seat = line_join(web_site(r->web)->line,
					   number_of(r->me, "session"),
					   number_of(r->me, "subscriber"));
	struct err e = { 0 };
	_free_ char *event = NULL;
	const char *place;

	/* who sits first misses nothing between the look and the seat */
	if (db_home_get(r->db, r->token, &home, &e)) {
		line_leave(seat);
		return answer_fault(r, &e);
	}
	json_object_object_get_ex(home, "queue", &queue);
	place = json_object_to_json_string_ext(queue, JSON_C_TO_STRING_PLAIN);
	r->answer.status = 200;
	r->answer.type = "text/event-stream";
	r->answer.seat = seat;
	if (seat) {
		line_greet(seat, place);
	} else {
		event = line_event("queue", place);
		buf_puts(&r->answer.body, event);
	}
	json_object_put(home);
	return 0;
}

int do_queue_leave(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (db_queue_leave(r->db, r->token, &v, &e))
		return answer_fault(r, &e);
	return answer_done(r, 200, v, "/home");
}

int do_ve_rename(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (db_ve_rename(r->db, r->token, r->veid,
			 fields_get(&r->fields, "name"),
			 atoi(fields_get(&r->fields, "port")), &v, &e))
		return again_ve(r, &e);
	return answer_done(r, 200, v, "/home");
}

/* The page of a VE: the person's own, with keys, events and what it uses. */
static int own_page(struct request *r, struct json_object **home, struct err *e)
{
	struct json_object *usage = NULL;
	int rc = db_home_get(r->db, r->token, home, e);

	if (rc)
		return rc;
	if (!db_usage_get(r->db, r->token, r->veid, &usage, &(struct err){ 0 }))
		json_object_object_add(*home, "usage", usage);
	if (veid_of(*home) != r->veid)
		return err_set(e, fault_code_of_state("VE005"),
			       "there is no such environment");
	return 0;
}

/* Whoever opens the page wakes the VE. */
int page_ve(struct request *r)
{
	struct json_object *home = NULL;
	struct err e = { 0 };

	db_ve_visit(r->db, r->token, r->veid, &e);
	e = (struct err){ 0 };
	if (own_page(r, &home, &e)) {
		json_object_put(home);
		return answer_fault(r, &e);
	}
	return answer_page(r, 200, r->route->page, home);
}

/* What cannot be undone is asked once more. */
int page_confirm(struct request *r)
{
	struct json_object *data = json_object_new_object(), *ve = NULL;
	struct err e = { 0 };

	if (strcmp(r->name, "reinstall") && strcmp(r->name, "delete"))
		err_set(&e, fault_code(FAULT_NOT_FOUND),
			"there is nothing to confirm here");
	else if (!db_ve_get(r->db, r->token, r->veid, &ve, &e))
		json_object_object_add(data, "ve", ve);
	if (e.code) {
		json_object_put(data);
		return answer_fault(r, &e);
	}
	json_object_object_add(data, "action", json_object_new_string(r->name));
	return answer_page(r, 200, "confirm", data);
}

int do_ve_create(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (db_ve_create(r->db, r->token, fields_get(&r->fields, "template"),
			 r->address, &v, &e))
		return answer_fault(r, &e);
	return answer_done(r, 201, v, "/home");
}

int do_ve_act(struct request *r)
{
	const char *action = fields_get(&r->fields, "action");
	struct json_object *v = NULL;
	struct err e = { 0 };
	int rc;

	if (!strcmp(action, "extend"))
		rc = db_ve_extend(r->db, r->token, r->veid, &v, &e);
	else if (!strcmp(action, "keep"))
		rc = db_ve_keep(r->db, r->token, r->veid, &v, &e);
	else
		rc = db_ve_act(r->db, r->token, r->veid, action, &v, &e);
	if (rc)
		return answer_fault(r, &e);
	if (!strncmp(r->path, "/admin/", 7))
		return answer_done(r, 202, v, "/admin/ves");
	return answer_done(r, 202, v, "/home");
}

/* In its form stands what was typed. */
static void keep_port(struct request *r, struct json_object *home)
{
	const char *port = fields_get(&r->fields, "port");
	struct json_object *ve;

	if (*port && json_object_object_get_ex(home, "ve", &ve))
		json_object_object_add(ve, "port",
				       json_object_new_string(port));
}

int again_ve(struct request *r, const struct err *e)
{
	struct json_object *home = NULL;
	struct err other = { 0 };

	if (r->api)
		return answer_fault(r, e);
	if (db_home_get(r->db, r->token, &home, &other))
		return answer_fault(r, &other);
	r->veid = veid_of(home);
	if (!r->veid) {
		put_templates(r, home);
		return answer_again(r, "home", home, e);
	}
	json_object_put(home);
	if (own_page(r, &home, &other))
		return answer_fault(r, &other);
	keep_port(r, home);
	return answer_again(r, "ve", home, e);
}

int do_key_add(struct request *r)
{
	const char *comment = fields_get(&r->fields, "comment");
	struct json_object *v = NULL;
	struct sshkey key = { 0 };
	struct err e = { 0 };
	int rc;

	rc = sshkey_parse(&key, fields_get(&r->fields, "key"), &e);
	if (!rc)
		rc = db_key_add(r->db, r->token, key.kind, key.blob,
				key.fingerprint,
				*comment ? comment : key.comment, &v, &e);
	if (rc)
		return again_ve(r, &e);
	return answer_done(r, 201, v, "/home#keys");
}

int do_key_remove(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (db_key_remove(r->db, r->token, r->id, &v, &e))
		return answer_fault(r, &e);
	return answer_done(r, 200, v, "/home#keys");
}

int api_home(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (db_home_get(r->db, r->token, &v, &e))
		return answer_fault(r, &e);
	return answer_json(r, 200, v);
}

int api_ve(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (db_ve_get(r->db, r->token, r->veid, &v, &e))
		return answer_fault(r, &e);
	return answer_json(r, 200, v);
}

int api_usage(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (db_usage_get(r->db, r->token, r->veid, &v, &e))
		return answer_fault(r, &e);
	return answer_json(r, 200, v);
}

int api_job(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (db_job_get(r->db, r->token, r->id, &v, &e))
		return answer_fault(r, &e);
	return answer_json(r, 200, v);
}
