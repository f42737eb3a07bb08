// SPDX-License-Identifier: Apache-2.0
#include "portal/db_admin.h"

#include <stddef.h>

int db_node_list(struct db *db, const uint8_t *token, struct json_object **out,
		 struct err *e)
{
	return db_call(db, out, e, "node_list", "h", token);
}

int db_node_act(struct db *db, const uint8_t *token, const char *id,
		const char *action, struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "node_act", "htt", token, id, action);
}

int db_enrolment_make(struct db *db, const uint8_t *token, const char *id,
		      const char *url, int32_t capacity,
		      const uint8_t *enrolment, struct json_object **out,
		      struct err *e)
{
	return db_call(db, out, e, "enrolment_make", "httih", token, id, url,
		       capacity, enrolment);
}

int db_enrolment_ask(struct db *db, const uint8_t *enrolment, const char *csr,
		     struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "enrolment_ask", "ht", enrolment, csr);
}

int db_enrolment_take(struct db *db, const uint8_t *enrolment,
		      struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "enrolment_take", "h", enrolment);
}

int db_sign_claim(struct db *db, struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "sign_claim", "");
}

int db_sign_finish(struct db *db, int64_t id, const char *certificate,
		   const char *why, struct err *e)
{
	return db_call(db, NULL, e, "sign_finish", "ltt", id, certificate, why);
}

int db_pool_list(struct db *db, const uint8_t *token, struct json_object **out,
		 struct err *e)
{
	return db_call(db, out, e, "pool_list", "h", token);
}

int db_pool_add(struct db *db, const uint8_t *token, const char *range,
		int32_t block_len, const char *excluded,
		struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "pool_add", "htzt", token, range,
		       block_len ? (int64_t)block_len : (int64_t)-1, excluded);
}

int db_ve_list(struct db *db, const uint8_t *token, int64_t before,
	       struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "ve_list", "hz", token, before);
}

int db_subscriber_list(struct db *db, const uint8_t *token, int64_t before,
		       struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "subscriber_list", "hz", token, before);
}

int db_audit_list(struct db *db, const uint8_t *token, int64_t before,
		  struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "audit_list", "hz", token, before);
}

int db_subscriber_suspend(struct db *db, const uint8_t *token, int64_t id,
			  const char *why, struct json_object **out,
			  struct err *e)
{
	return db_call(db, out, e, "subscriber_suspend", "hlt", token, id, why);
}

int db_subscriber_unsuspend(struct db *db, const uint8_t *token, int64_t id,
			    struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "subscriber_unsuspend", "hl", token, id);
}

int db_plan_list(struct db *db, const uint8_t *token, struct json_object **out,
		 struct err *e)
{
	return db_call(db, out, e, "plan_list", "h", token);
}

int db_plan_get(struct db *db, const uint8_t *token, const char *name,
		struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "plan_get", "ht", token, name);
}

int db_plan_save(struct db *db, const uint8_t *token, const char *name,
		 const char *form, bool make, struct json_object **out,
		 struct err *e)
{
	return db_call(db, out, e, "plan_save", "httt", token, name, form,
		       make ? "true" : "false");
}

int db_ve_plan(struct db *db, const uint8_t *token, uint32_t veid,
	       const char *plan, struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "ve_plan", "hit", token, (int32_t)veid,
		       plan);
}
