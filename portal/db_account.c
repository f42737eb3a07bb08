// SPDX-License-Identifier: Apache-2.0
#include "portal/db_account.h"

#include <stddef.h>

int db_account_admit(struct db *db, const char *email, const char *address,
		     struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "account_admit", "tt", email, address);
}

int db_account_signup(struct db *db, const char *email, const char *hash,
		      const char *tmpl, const char *address,
		      const uint8_t *token, struct json_object **out,
		      struct err *e)
{
	return db_call(db, out, e, "account_signup", "tttth", email, hash, tmpl,
		       address, token);
}

int db_account_lookup(struct db *db, const char *email, const char *address,
		      struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "account_lookup", "tt", email, address);
}

int db_account_login(struct db *db, int64_t subscriber, const char *address,
		     const uint8_t *token, struct json_object **out,
		     struct err *e)
{
	return db_call(db, out, e, "account_login", "lth", subscriber, address,
		       token);
}

int db_account_rehash(struct db *db, int64_t subscriber, const char *old,
		      const char *now, struct err *e)
{
	return db_call(db, NULL, e, "account_rehash", "ltt", subscriber, old,
		       now);
}

int db_operator_create(struct db *db, const char *email, const char *hash,
		       struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "operator_create", "tt", email, hash);
}

int db_session_get(struct db *db, const uint8_t *token,
		   struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "session_get", "h", token);
}

int db_session_end(struct db *db, const uint8_t *token, struct err *e)
{
	return db_call(db, NULL, e, "session_end", "h", token);
}

int db_session_check(struct db *db, int64_t session, uint32_t veid,
		     struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "session_check", "li", session,
		       (int32_t)veid);
}

int db_home_get(struct db *db, const uint8_t *token, struct json_object **out,
		struct err *e)
{
	return db_call(db, out, e, "home_get", "h", token);
}

int db_key_add(struct db *db, const uint8_t *token, const char *kind,
	       const char *blob, const char *fingerprint, const char *comment,
	       struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "key_add", "htttt", token, kind, blob,
		       fingerprint, comment);
}

int db_key_remove(struct db *db, const uint8_t *token, int64_t key,
		  struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "key_remove", "hl", token, key);
}

int db_key_lookup(struct db *db, const char *fingerprint,
		  struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "key_lookup", "t", fingerprint);
}

int db_account_confirm(struct db *db, const uint8_t *confirmation,
		       struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "account_confirm", "h", confirmation);
}

int db_account_confirm_ask(struct db *db, const uint8_t *token,
			   struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "account_confirm_ask", "h", token);
}
