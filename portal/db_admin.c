// SPDX-License-Identifier: Apache-2.0
#include "portal/db_admin.h"

int db_node_list(struct db *db, const uint8_t *token, struct json_object **out,
		 struct err *e)
{
	return db_call(db, out, e, "node_list", "h", token);
}

int db_node_enrol(struct db *db, const uint8_t *token, const char *id,
		  const char *url, int32_t capacity, struct json_object **out,
		  struct err *e)
{
	return db_call(db, out, e, "node_enrol", "htti", token, id, url,
		       capacity);
}

int db_pool_list(struct db *db, const uint8_t *token, struct json_object **out,
		 struct err *e)
{
	return db_call(db, out, e, "pool_list", "h", token);
}

int db_pool_add(struct db *db, const uint8_t *token, const char *range,
		int32_t block_len, struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "pool_add", "htz", token, range,
		       block_len ? (int64_t)block_len : (int64_t)-1);
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
