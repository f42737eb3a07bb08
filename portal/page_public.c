// SPDX-License-Identifier: Apache-2.0
#include "portal/page.h"

#include <string.h>

#include <json-c/json.h>

#include "portal/answer.h"
#include "portal/asset.h"
#include "portal/db_ve.h"
#include "portal/fault.h"
#include "portal/relay.h"
#include "portal/web.h"

static int plain(struct request *r, int status, const char *text)
{
	r->answer.status = status;
	r->answer.type = "text/plain; charset=utf-8";
	buf_puts(&r->answer.body, text);
	return 0;
}

int page_healthz(struct request *r)
{
	return plain(r, 200, "ok\n");
}

/* Ready is who reaches the database and hears what it says. */
int page_readyz(struct request *r)
{
	struct err e = { 0 };

	if (db_capacity_get(r->db, NULL, &e) ||
	    !relays_hearing(web_site(r->web)->relays))
		return plain(r, 503, "not ready\n");
	return plain(r, 200, "ready\n");
}

int page_static(struct request *r)
{
	const struct asset *assets = web_site(r->web)->assets;
	const char *path = r->path;
	struct err e = { 0 };

	if (!strcmp(path, "/favicon.ico"))
		path = "/static/mark.svg";
	r->answer.asset = asset_find(assets, path);
	if (!r->answer.asset) {
		err_set(&e, fault_code(FAULT_NOT_FOUND),
			"there is no such file here");
		return answer_fault(r, &e);
	}
	r->answer.status = 200;
	return 0;
}

int page_landing(struct request *r)
{
	struct json_object *data = json_object_new_object(), *v = NULL;
	struct err e = { 0 };

	if (!db_capacity_get(r->db, &v, &e))
		json_object_object_add(data, "capacity", v);
	return answer_page(r, 200, "landing", data);
}

int api_capacity(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (db_capacity_get(r->db, &v, &e))
		return answer_fault(r, &e);
	return answer_json(r, 200, v);
}

int api_templates(struct request *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (db_template_list(r->db, &v, &e))
		return answer_fault(r, &e);
	return answer_json(r, 200, v);
}
