/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_ANSWER_H
#define VE_PORTAL_ANSWER_H

/*
 * Filling in a request's answer: a page, JSON, a redirect, or what went wrong,
 * each in the form that the caller reads (pages or /api/v1).
 */
#include "agent/libve/err.h"
#include "portal/request.h"

#define COOKIE_SESSION "__Host-ve"
#define COOKIE_VISITOR "__Host-vp"

void answer_fini(struct answer *a);

/* Set (@seconds > 0) or take back (0) a cookie. */
/* The visitor's cookie comes along when somebody follows a link to us, so that a form
 * in another tab stays good; the session's does not. */
void answer_cookie(struct answer *a, const char *name, const char *value,
		   int seconds);

/*
 * Page @name with the values of @data (consumed, may be NULL) and with what each
 * page has: me, csrf, nonce, path.
 */
int answer_page(struct request *r, int status, const char *name,
		struct json_object *data);

/* JSON (consumed). */
int answer_json(struct request *r, int status, struct json_object *data);

/* 303 to a path of ours. */
int answer_redirect(struct request *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * A form was sent and it worked: /api/v1 gets @data (consumed) with @status, a
 * browser is sent to the path.
 */
int answer_done(struct request *r, int status, struct json_object *data,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* What went wrong: problem+json, or the page "fault". */
int answer_fault(struct request *r, const struct err *e);

/*
 * The same for a form that can be sent again: page @name with what was filled in
 * (never a password), "error" and @data (consumed).
 */
int answer_again(struct request *r, const char *name, struct json_object *data,
		 const struct err *e);

#endif
