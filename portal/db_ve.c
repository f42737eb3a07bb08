// SPDX-License-Identifier: Apache-2.0
#include "portal/db_ve.h"

#include <stddef.h>

int db_capacity_get(struct db *db, struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "capacity_get", "");
}

int db_template_list(struct db *db, struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "template_list", "");
}

int db_ve_get(struct db *db, const uint8_t *token, uint32_t veid,
	      struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "ve_get", "hi", token, (int32_t)veid);
}

int db_ve_create(struct db *db, const uint8_t *token, const char *tmpl,
		 const char *address, struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "ve_create", "htt", token, tmpl, address);
}

int db_ve_visit(struct db *db, const uint8_t *token, uint32_t veid,
		struct err *e)
{
	return db_call(db, NULL, e, "ve_visit", "hi", token, (int32_t)veid);
}

int db_ve_rename(struct db *db, const uint8_t *token, uint32_t veid,
		 const char *name, int32_t port, struct json_object **out,
		 struct err *e)
{
	return db_call(db, out, e, "ve_rename", "hitz", token, (int32_t)veid,
		       name, port ? (int64_t)port : (int64_t)-1);
}

int db_port_grant(struct db *db, const char *name, const char *address,
		  struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "port_grant", "tt", name, address);
}

int db_usage_get(struct db *db, const uint8_t *token, uint32_t veid,
		 struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "usage_get", "hi", token, (int32_t)veid);
}

int db_line_look(struct db *db, const char *people, struct json_object **out,
		 struct err *e)
{
	return db_call(db, out, e, "line_look", "t", people);
}

int db_queue_leave(struct db *db, const uint8_t *token,
		   struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "queue_leave", "h", token);
}

int db_ve_act(struct db *db, const uint8_t *token, uint32_t veid,
	      const char *action, struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "ve_act", "hit", token, (int32_t)veid,
		       action);
}

int db_ve_extend(struct db *db, const uint8_t *token, uint32_t veid,
		 struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "ve_extend", "hi", token, (int32_t)veid);
}

int db_ve_keep(struct db *db, const uint8_t *token, uint32_t veid,
	       struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "ve_keep", "hi", token, (int32_t)veid);
}

int db_keep_take(struct db *db, const uint8_t *keep, struct json_object **out,
		 struct err *e)
{
	return db_call(db, out, e, "keep_take", "h", keep);
}

int db_job_get(struct db *db, const uint8_t *token, int64_t job,
	       struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "job_get", "hl", token, job);
}

int db_ticket_create(struct db *db, const uint8_t *token, uint32_t veid,
		     const uint8_t *ticket, struct json_object **out,
		     struct err *e)
{
	return db_call(db, out, e, "ticket_create", "hih", token, (int32_t)veid,
		       ticket);
}

int db_ticket_redeem(struct db *db, const uint8_t *token, uint32_t veid,
		     const uint8_t *ticket, struct json_object **out,
		     struct err *e)
{
	return db_call(db, out, e, "ticket_redeem", "hih", token, (int32_t)veid,
		       ticket);
}

int db_gateway_grant(struct db *db, const char *fingerprint, uint32_t veid,
		     const char *kind, struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "gateway_grant", "tit", fingerprint,
		       (int32_t)veid, kind);
}
