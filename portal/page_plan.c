// SPDX-License-Identifier: Apache-2.0
#include "portal/page.h"

#include <string.h>

#include <json-c/json.h>

#include "portal/answer.h"
#include "portal/db_admin.h"
#include "portal/fault.h"

/* All plans, as JSON or in a page with the form of a new one, which begins as
 * the smallest is. */
static struct json_object *with_form(struct json_object *plans)
{
	static const char *const parts[] = { "form", "rows" };
	struct json_object *data = json_object_new_object();
	struct json_object *first = json_object_array_get_idx(plans, 0), *v;

	if (json_object_object_get_ex(first, "form", &v))
		json_object_object_add(v, "title", json_object_new_string(""));
	json_object_object_add(data, "plans", plans);
	for (size_t i = 0; i < 2; i++)
		if (json_object_object_get_ex(first, parts[i], &v))
			json_object_object_add(data, parts[i],
					       json_object_get(v));
	return data;
}

int page_admin_plans(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (db_plan_list(r->db, r->token, &v, &e))
		return answer_fault(r, &e);
	if (r->api)
		return answer_json(r, 200, v);
	return answer_page(r, 200, "admin_plans", with_form(v));
}

int page_admin_plan(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (db_plan_get(r->db, r->token, r->name, &v, &e))
		return answer_fault(r, &e);
	return r->api ? answer_json(r, 200, v)
		      : answer_page(r, 200, "admin_plan", v);
}

/* What the form says, as the database takes it.  A box that is not ticked sends
 * nothing: in a whole form that is a no. */
static struct json_object *form_of(const struct request *r)
{
	struct json_object *form = json_object_new_object();

	if (!r->api)
		json_object_object_add(form, "egress",
				       json_object_new_string(""));
	for (size_t i = 0; i < r->fields.count; i++) {
		const struct field *f = &r->fields.list[i];

		if (strcmp(f->name, "csrf") && strcmp(f->name, "plan"))
			json_object_object_add(
				form, f->name,
				json_object_new_string(f->value));
	}
	return form;
}

static int save(struct request *r, const char *name, bool make,
		struct json_object **out, struct err *e)
{
	struct json_object *form = form_of(r);
	int rc = db_plan_save(r->db, r->token, name,
			      json_object_to_json_string(form), make, out, e);

	json_object_put(form);
	return rc;
}

/* The form's own values in the place of the plan's. */
static void keep_values(struct request *r, struct json_object *data)
{
	struct json_object *rows, *name;

	json_object_object_add(data, "form", form_of(r));
	if (!json_object_object_get_ex(data, "rows", &rows))
		return;
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (json_object_object_get_ex(row, "name", &name))
			json_object_object_add(
				row, "value",
				json_object_new_string(fields_get(
					&r->fields,
					json_object_get_string(name))));
	}
}

int again_plans(struct request *r, const struct err *e)
{
	struct json_object *v = NULL, *data;
	struct err other = { 0 };

	if (r->api)
		return answer_fault(r, e);
	if (db_plan_list(r->db, r->token, &v, &other))
		return answer_fault(r, &other);
	data = with_form(v);
	keep_values(r, data);
	return answer_again(r, "admin_plans", data, e);
}

int do_plan_make(struct request *r)
{
	const char *name = fields_get(&r->fields, "plan");
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (save(r, name, true, &v, &e))
		return again_plans(r, &e);
	return answer_done(r, 201, v, "/admin/plans");
}

int again_plan(struct request *r, const struct err *e)
{
	struct json_object *v = NULL;
	struct err other = { 0 };

	if (r->api)
		return answer_fault(r, e);
	if (db_plan_get(r->db, r->token, r->name, &v, &other))
		return answer_fault(r, &other);
	keep_values(r, v);
	return answer_again(r, "admin_plan", v, e);
}

int do_plan_change(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (save(r, r->name, false, &v, &e))
		return again_plan(r, &e);
	return answer_done(r, 200, v, "/admin/plans");
}

int do_ve_plan(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (db_ve_plan(r->db, r->token, r->veid, fields_get(&r->fields, "plan"),
		       &v, &e))
		return answer_fault(r, &e);
	return answer_done(r, 200, v, "/admin/ves");
}
