// SPDX-License-Identifier: Apache-2.0
#include "portal/serve.h"

#include <string.h>
#include <strings.h>

#include "portal/answer.h"
#include "portal/db_account.h"
#include "portal/fault.h"
#include "portal/route.h"
#include "portal/web.h"

static int find_session(struct request *r, struct err *e)
{
	int rc;

	if (!*r->session)
		return 0;
	token_hash(r->token, r->session);
	rc = db_session_get(r->db, r->token, &r->me, e);
	/* what anybody may see is shown even without the database */
	if (rc && r->route->who == WHO_ANYBODY && r->method == METHOD_GET) {
		*e = (struct err){ 0 };
		rc = 0;
	}
	return rc;
}

static int check_who(struct request *r, struct err *e)
{
	if (r->route->who != WHO_ANYBODY && !r->me)
		return err_set(
			e, fault_code(FAULT_NO_SESSION),
			"you are not logged in, or your session has ended");
	if (r->route->who == WHO_OPERATOR && !request_is_operator(r))
		return err_set(e, fault_code_of_state("VE011"),
			       "your account is not an operator's");
	return 0;
}

/* A browser says where a request comes from; no word is taken for ours only
 * where a token says the same. */
static int check_origin(struct request *r, struct err *e)
{
	const char *ours = web_site(r->web)->origin;
	bool must = r->route->flags & SOCKET;

	if ((*r->origin || must) && strcmp(r->origin, ours) != 0)
		return err_set(e, fault_code(FAULT_ORIGIN),
			       "pages of other sites may not ask for this");
	if (*r->site && strcmp(r->site, "same-origin") &&
	    strcmp(r->site, "none"))
		return err_set(e, fault_code(FAULT_ORIGIN),
			       "pages of other sites may not ask for this");
	return 0;
}

static bool says(const char *said, const char *bearer)
{
	char wanted[TOKEN_TEXT];

	if (!*bearer)
		return false;
	token_csrf(wanted, bearer);
	return token_equal(said, wanted);
}

/* A form for anybody may have been drawn before its visitor logged in, in another
 * tab. */
static int check_csrf(struct request *r, struct err *e)
{
	const char *said = *r->csrf ? r->csrf : fields_get(&r->fields, "csrf");

	if (r->me && says(said, r->session))
		return 0;
	if ((!r->me || r->route->who == WHO_ANYBODY) && says(said, r->visitor))
		return 0;
	return err_set(e, fault_code(FAULT_CSRF),
		       "go back, reload the page and send the form again");
}

static int read_fields(struct request *r, struct err *e)
{
	const char *body = r->body.data ? r->body.data : "";
	static const char form[] = "application/x-www-form-urlencoded";
	static const char json[] = "application/json";
	const char *wanted = r->api ? json : form;

	if (!r->body.len && !*r->route->fields)
		return 0;
	if (strncasecmp(r->type, wanted, strlen(wanted)) != 0)
		return err_set(e, fault_code(FAULT_MEDIA),
			       "the body must be %s", wanted);
	return r->api ? fields_from_json(&r->fields, body, r->body.len, e)
		      : fields_from_form(&r->fields, body, r->body.len, e);
}

static int check(struct request *r, struct err *e)
{
	int rc = find_session(r, e);

	if (!rc && r->route->flags & (CSRF | SOCKET))
		rc = check_origin(r, e);
	if (!rc)
		rc = check_who(r, e);
	if (!rc && r->method != METHOD_GET)
		rc = read_fields(r, e);
	if (!rc && r->route->flags & CSRF)
		rc = check_csrf(r, e);
	return rc;
}

void serve_request(struct db *db, struct request *r)
{
	struct err e = { 0 };
	int rc;

	r->db = db;
	rc = check(r, &e);
	if (rc == fault_code(FAULT_NO_SESSION) && !r->api &&
	    r->method == METHOD_GET && !(r->route->flags & SOCKET)) {
		answer_redirect(r, "/login");
		return;
	}
	if (rc) {
		answer_fault(r, &e);
		return;
	}
	if (r->method != METHOD_GET &&
	    fields_check(&r->fields, r->route->fields, &e)) {
		if (r->route->again)
			r->route->again(r, &e);
		else
			answer_fault(r, &e);
		return;
	}
	r->route->handler(r);
	r->db = NULL;
}
