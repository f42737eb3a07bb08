/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_DB_ADMIN_H
#define VE_PORTAL_DB_ADMIN_H

/* SQL functions for operators; each checks that @token is an operator's. */
#include <stdint.h>

#include <stdbool.h>

#include "portal/db.h"

int db_node_list(struct db *db, const uint8_t *token, struct json_object **out,
		 struct err *e);
int db_node_act(struct db *db, const uint8_t *token, const char *id,
		const char *action, struct json_object **out, struct err *e);
int db_enrolment_make(struct db *db, const uint8_t *token, const char *id,
		      const char *url, int32_t capacity,
		      const uint8_t *enrolment, struct json_object **out,
		      struct err *e);
int db_enrolment_ask(struct db *db, const uint8_t *enrolment, const char *csr,
		     struct json_object **out, struct err *e);
int db_enrolment_take(struct db *db, const uint8_t *enrolment,
		      struct json_object **out, struct err *e);
int db_sign_claim(struct db *db, struct json_object **out, struct err *e);
int db_sign_finish(struct db *db, int64_t id, const char *certificate,
		   const char *why, struct err *e);
int db_pool_list(struct db *db, const uint8_t *token, struct json_object **out,
		 struct err *e);
/* @block_len 0: the usual one. */
int db_pool_add(struct db *db, const uint8_t *token, const char *range,
		int32_t block_len, const char *excluded,
		struct json_object **out, struct err *e);
/* @before: only those below it, -1 from the newest. */
int db_ve_list(struct db *db, const uint8_t *token, int64_t before,
	       struct json_object **out, struct err *e);
int db_subscriber_list(struct db *db, const uint8_t *token, int64_t before,
		       struct json_object **out, struct err *e);
int db_audit_list(struct db *db, const uint8_t *token, int64_t before,
		  struct json_object **out, struct err *e);
int db_subscriber_suspend(struct db *db, const uint8_t *token, int64_t id,
			  const char *why, struct json_object **out,
			  struct err *e);
int db_subscriber_unsuspend(struct db *db, const uint8_t *token, int64_t id,
			    struct json_object **out, struct err *e);

int db_plan_list(struct db *db, const uint8_t *token, struct json_object **out,
		 struct err *e);
int db_plan_get(struct db *db, const uint8_t *token, const char *name,
		struct json_object **out, struct err *e);
int db_plan_save(struct db *db, const uint8_t *token, const char *name,
		 const char *form, bool make, struct json_object **out,
		 struct err *e);
int db_ve_plan(struct db *db, const uint8_t *token, uint32_t veid,
	       const char *plan, struct json_object **out, struct err *e);

#endif
