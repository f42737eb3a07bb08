/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_DB_VE_H
#define VE_PORTAL_DB_VE_H

/* SQL functions on VEs and their terminals. */
#include <stdint.h>

#include "portal/db.h"

int db_capacity_get(struct db *db, struct json_object **out, struct err *e);
int db_template_list(struct db *db, struct json_object **out, struct err *e);
int db_ve_get(struct db *db, const uint8_t *token, uint32_t veid,
	      struct json_object **out, struct err *e);
int db_ve_create(struct db *db, const uint8_t *token, const char *tmpl,
		 const char *address, struct json_object **out, struct err *e);
int db_ve_visit(struct db *db, const uint8_t *token, uint32_t veid,
		struct err *e);
int db_ve_rename(struct db *db, const uint8_t *token, uint32_t veid,
		 const char *name, int32_t port, struct json_object **out,
		 struct err *e);
int db_port_grant(struct db *db, const char *name, const char *address,
		  struct json_object **out, struct err *e);
int db_usage_get(struct db *db, const uint8_t *token, uint32_t veid,
		 struct json_object **out, struct err *e);
/* @people: ids as an array's text, "{1,2}" */
int db_line_look(struct db *db, const char *people, struct json_object **out,
		 struct err *e);
int db_queue_leave(struct db *db, const uint8_t *token,
		   struct json_object **out, struct err *e);
int db_ve_act(struct db *db, const uint8_t *token, uint32_t veid,
	      const char *action, struct json_object **out, struct err *e);
int db_ve_extend(struct db *db, const uint8_t *token, uint32_t veid,
		 struct json_object **out, struct err *e);
int db_ve_keep(struct db *db, const uint8_t *token, uint32_t veid,
	       struct json_object **out, struct err *e);
int db_keep_take(struct db *db, const uint8_t *keep, struct json_object **out,
		 struct err *e);
int db_job_get(struct db *db, const uint8_t *token, int64_t job,
	       struct json_object **out, struct err *e);
int db_ticket_create(struct db *db, const uint8_t *token, uint32_t veid,
		     const uint8_t *ticket, struct json_object **out,
		     struct err *e);
int db_ticket_redeem(struct db *db, const uint8_t *token, uint32_t veid,
		     const uint8_t *ticket, struct json_object **out,
		     struct err *e);
int db_gateway_grant(struct db *db, const char *fingerprint, uint32_t veid,
		     const char *kind, struct json_object **out, struct err *e);

#endif
