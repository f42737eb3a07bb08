// SPDX-License-Identifier: Apache-2.0
#include "portal/page.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "portal/answer.h"
#include "portal/db_account.h"
#include "portal/db_ve.h"
#include "portal/fault.h"
#include "portal/passwd.h"
#include "portal/web.h"

#define SESSION_SECONDS (7 * 86400)

static struct json_object *templates(struct request *r)
{
	struct json_object *data = json_object_new_object(), *v = NULL;
	const char *chosen = fields_get(&r->fields, "template");
	struct err e = { 0 };

	if (db_template_list(r->db, &v, &e))
		return data;
	for (size_t i = 0; i < json_object_array_length(v); i++) {
		struct json_object *t = json_object_array_get_idx(v, i), *name;

		if (*chosen && json_object_object_get_ex(t, "name", &name))
			json_object_object_add(
				t, "first",
				json_object_new_boolean(!strcmp(
					json_object_get_string(name), chosen)));
	}
	json_object_object_add(data, "templates", v);
	return data;
}

int page_signup(struct request *r)
{
	if (r->me)
		return answer_redirect(r, "/home");
	return answer_page(r, 200, "signup", templates(r));
}

int again_signup(struct request *r, const struct err *e)
{
	return answer_again(r, "signup", r->api ? NULL : templates(r), e);
}

/* E-mail addresses are kept and compared in lower case. */
static void lower_email(struct request *r, char out[static 256])
{
	size_t i = 0;

	for (const char *s = fields_get(&r->fields, "email"); *s && i < 255;)
		out[i++] = (char)tolower((unsigned char)*s++);
	out[i] = '\0';
}

static int check_signup(struct request *r, const char *email, struct err *e)
{
	struct json_object *v = NULL;
	const char *at = strchr(email, '@'), *word;
	int rc;

	if (!at || at == email || !at[1] || strchr(at + 1, '@') ||
	    strchr(email, ' '))
		return err_set(e, fault_code(FAULT_FIELD),
			       "that is not an e-mail address");
	if (strlen(fields_get(&r->fields, "password")) < PASSWD_MIN)
		return err_set(e, fault_code(FAULT_FIELD),
			       "the password has fewer than %d characters",
			       PASSWD_MIN);
	rc = db_account_admit(r->db, email, r->address, &v, e);
	if (rc)
		return rc;
	word = json_object_get_string(v);
	if (!strcmp(word, "limited"))
		rc = err_set(e, fault_code(FAULT_LIMITED),
			     "too many sign-ups came from your network; "
			     "please try again in an hour");
	else if (!strcmp(word, "taken"))
		rc = err_set(e, fault_code(FAULT_TAKEN),
			     "this e-mail address has an account already: "
			     "log in instead");
	else if (!strcmp(word, "full"))
		rc = err_set(e, fault_code(FAULT_FULL),
			     "every place is taken at the moment; "
			     "please come back in a few minutes");
	json_object_put(v);
	return rc;
}

static void open_session(struct request *r, const char *token)
{
	answer_cookie(&r->answer, COOKIE_SESSION, token, SESSION_SECONDS);
}

int do_signup(struct request *r)
{
	char email[256], hash[PASSWD_HASH], token[TOKEN_TEXT];
	uint8_t token_sha[TOKEN_HASH];
	struct json_object *v = NULL;
	struct err e = { 0 };
	int rc;

	lower_email(r, email);
	rc = check_signup(r, email, &e);
	if (!rc)
		rc = passwd_hash(hash, fields_get(&r->fields, "password"), &e);
	token_make(token);
	token_hash(token_sha, token);
	if (!rc)
		rc = db_account_signup(r->db, email, hash,
				       fields_get(&r->fields, "template"),
				       r->address, token_sha, &v, &e);
	if (rc)
		return again_signup(r, &e);
	open_session(r, token);
	return answer_done(r, 201, v, "/home");
}

int page_login(struct request *r)
{
	if (r->me)
		return answer_redirect(r, "/home");
	return answer_page(r, 200, "login", NULL);
}

int again_login(struct request *r, const struct err *e)
{
	return answer_again(r, "login", NULL, e);
}

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v)
						     : NULL;
}

/* Whether the password is right: the same work for everybody.  0 and the
 * subscriber, or a fault. */
static int check_password(struct request *r, int64_t *subscriber, struct err *e)
{
	const char *password = fields_get(&r->fields, "password"), *hash;
	struct json_object *v = NULL, *who;
	char email[256], fresh[PASSWD_HASH];
	int rc;

	lower_email(r, email);
	rc = db_account_lookup(r->db, email, r->address, &v, e);
	if (rc)
		return rc;
	hash = text_of(v, "password_hash");
	if (!strcmp(text_of(v, "limited"), "true")) {
		rc = err_set(e, fault_code(FAULT_LIMITED),
			     "too many attempts; please try again later");
	} else if (!passwd_verify(hash, password)) {
		rc = err_set(e, fault_code(FAULT_BAD_LOGIN),
			     "e-mail address or password is wrong");
	} else {
		json_object_object_get_ex(v, "subscriber", &who);
		*subscriber = json_object_get_int64(who);
		if (passwd_is_old(hash) && !passwd_hash(fresh, password, NULL))
			db_account_rehash(r->db, *subscriber, hash, fresh,
					  NULL);
	}
	json_object_put(v);
	return rc;
}

int do_login(struct request *r)
{
	uint8_t token_sha[TOKEN_HASH];
	struct json_object *v = NULL;
	char token[TOKEN_TEXT];
	int64_t subscriber = 0;
	struct err e = { 0 };
	int rc = check_password(r, &subscriber, &e);

	token_make(token);
	token_hash(token_sha, token);
	if (!rc)
		rc = db_account_login(r->db, subscriber, r->address, token_sha,
				      &v, &e);
	if (rc)
		return again_login(r, &e);
	open_session(r, token);
	return answer_done(r, 201, v, "/home");
}

int do_logout(struct request *r)
{
	struct err e = { 0 };

	if (db_session_end(r->db, r->token, &e))
		return answer_fault(r, &e);
	answer_cookie(&r->answer, COOKIE_SESSION, "", 0);
	return answer_done(r, 200, NULL, "/");
}

/* Where a program begins: its CSRF token, and who it is. */
int api_session(struct request *r)
{
	struct json_object *o = json_object_new_object();
	char csrf[TOKEN_TEXT];

	token_csrf(csrf, request_bearer(r));
	json_object_object_add(o, "csrf", json_object_new_string(csrf));
	json_object_object_add(o, "me", json_object_get(r->me));
	return answer_json(r, 200, o);
}
