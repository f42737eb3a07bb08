/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_DB_ACCOUNT_H
#define VE_PORTAL_DB_ACCOUNT_H

/* SQL functions on people and their sessions; schema/functions/<name>.sql says
 * what each does.  @token is the SHA-256 of a session cookie. */
#include <stdint.h>

#include "portal/db.h"

int db_account_admit(struct db *db, const char *email, const char *address,
		     struct json_object **out, struct err *e);
int db_account_signup(struct db *db, const char *email, const char *hash,
		      const char *tmpl, const char *address,
		      const uint8_t *token, struct json_object **out,
		      struct err *e);
int db_account_lookup(struct db *db, const char *email, const char *address,
		      struct json_object **out, struct err *e);
int db_account_login(struct db *db, int64_t subscriber, const char *address,
		     const uint8_t *token, struct json_object **out,
		     struct err *e);
int db_account_rehash(struct db *db, int64_t subscriber, const char *old,
		      const char *now, struct err *e);
int db_operator_create(struct db *db, const char *email, const char *hash,
		       struct json_object **out, struct err *e);
int db_session_get(struct db *db, const uint8_t *token,
		   struct json_object **out, struct err *e);
int db_session_end(struct db *db, const uint8_t *token, struct err *e);
int db_session_check(struct db *db, int64_t session, uint32_t veid,
		     struct json_object **out, struct err *e);
int db_home_get(struct db *db, const uint8_t *token, struct json_object **out,
		struct err *e);
int db_key_add(struct db *db, const uint8_t *token, const char *kind,
	       const char *blob, const char *fingerprint, const char *comment,
	       struct json_object **out, struct err *e);
int db_key_remove(struct db *db, const uint8_t *token, int64_t key,
		  struct json_object **out, struct err *e);
int db_key_lookup(struct db *db, const char *fingerprint,
		  struct json_object **out, struct err *e);
int db_account_confirm(struct db *db, const uint8_t *confirmation,
		       struct json_object **out, struct err *e);
int db_account_confirm_ask(struct db *db, const uint8_t *token,
			   struct json_object **out, struct err *e);

#endif
