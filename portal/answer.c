// SPDX-License-Identifier: Apache-2.0
#include "portal/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "portal/fault.h"
#include "portal/line.h"
#include "portal/tmpl.h"
#include "portal/web.h"

void answer_fini(struct answer *a)
{
	line_leave(a->seat);
	buf_free(&a->body);
}

void answer_cookie(struct answer *a, const char *name, const char *value,
		   int seconds)
{
	char *slot = a->cookie[*a->cookie[0] ? 1 : 0];
	bool lax = !strcmp(name, COOKIE_VISITOR);

	snprintf(slot, sizeof(a->cookie[0]),
		 "%s=%s; Path=/; Secure; HttpOnly; SameSite=%s; Max-Age=%d",
		 name, value, lax ? "Lax" : "Strict", seconds);
}

static void put(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

static void put_common(struct request *r, struct json_object *data)
{
	const struct web_site *site = web_site(r->web);
	char csrf[TOKEN_TEXT];

	token_csrf(csrf, request_bearer(r));
	token_make(r->answer.nonce);
	put(data, "csrf", csrf);
	put(data, "nonce", r->answer.nonce);
	put(data, "path", r->path);
	put(data, "site", site->origin);
	if (site->domain)
		put(data, "domain", site->domain);
	if (site->ssh_host) {
		put(data, "ssh_host", site->ssh_host);
		put(data, "ssh_port", site->ssh_port ? site->ssh_port : "2222");
	}
	if (r->me)
		json_object_object_add(data, "me", json_object_get(r->me));
}

int answer_page(struct request *r, int status, const char *name,
		struct json_object *data)
{
	if (!data)
		data = json_object_new_object();
	put_common(r, data);
	r->answer.status = status;
	r->answer.type = "text/html; charset=utf-8";
	r->answer.body.len = 0;
	if (tmpl_render(web_site(r->web)->pages, name, data, &r->answer.body)) {
		log_err("there is no page %s", name);
		r->answer.status = 500;
		buf_puts(&r->answer.body, "internal error\n");
	}
	json_object_put(data);
	return 0;
}

int answer_json(struct request *r, int status, struct json_object *data)
{
	r->answer.status = status;
	r->answer.type = status >= 400 ? "application/problem+json"
				       : "application/json";
	r->answer.body.len = 0;
	buf_puts(&r->answer.body,
		 json_object_to_json_string_ext(data, JSON_C_TO_STRING_PLAIN));
	buf_puts(&r->answer.body, "\n");
	json_object_put(data);
	return 0;
}

static int redirect(struct request *r, const char *fmt, va_list ap)
{
	vsnprintf(r->answer.location, sizeof(r->answer.location), fmt, ap);
	r->answer.status = 303;
	r->answer.type = "text/plain; charset=utf-8";
	return 0;
}

int answer_redirect(struct request *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	redirect(r, fmt, ap);
	va_end(ap);
	return 0;
}

int answer_done(struct request *r, int status, struct json_object *data,
		const char *fmt, ...)
{
	va_list ap;

	if (r->api)
		return answer_json(r, status,
				   data ? data : json_object_new_object());
	json_object_put(data);
	va_start(ap, fmt);
	redirect(r, fmt, ap);
	va_end(ap);
	return 0;
}

static struct json_object *problem(const struct fault *f, const struct err *e)
{
	_free_ char *type = xasprintf("urn:vestibule:problem:%s", f->name);
	struct json_object *o = json_object_new_object();

	put(o, "type", type);
	put(o, "title", f->title);
	json_object_object_add(o, "status", json_object_new_int(f->status));
	put(o, "detail", e->text);
	return o;
}

/* An inner error is logged under a number and told as the number only. */
static void hide(struct err *e)
{
	uint8_t hash[TOKEN_HASH];
	char token[TOKEN_TEXT];

	token_make(token);
	token_hash(hash, token);
	log_err("incident %02x%02x%02x%02x: %s", hash[0], hash[1], hash[2],
		hash[3], e->text);
	snprintf(e->text, sizeof(e->text),
		 "the failure is noted as incident %02x%02x%02x%02x", hash[0],
		 hash[1], hash[2], hash[3]);
}

static struct json_object *describe(struct request *r, struct err *e,
				    const struct fault **f)
{
	*f = fault_of(e->code);
	if ((*f)->status == 500)
		hide(e);
	r->answer.retry_after = (*f)->retry_after;
	return problem(*f, e);
}

int answer_fault(struct request *r, const struct err *why)
{
	struct err e = *why;
	const struct fault *f;
	struct json_object *o = describe(r, &e, &f);

	if (r->api)
		return answer_json(r, f->status, o);
	put(o, "kind", f->name);
	return answer_page(r, f->status, "fault", o);
}

int answer_again(struct request *r, const char *name, struct json_object *data,
		 const struct err *why)
{
	struct err e = *why;
	const struct fault *f;
	struct json_object *o = describe(r, &e, &f);

	if (r->api) {
		json_object_put(data);
		return answer_json(r, f->status, o);
	}
	if (!data)
		data = json_object_new_object();
	put(o, "kind", f->name);
	json_object_object_add(data, "error", o);
	for (size_t i = 0; i < r->fields.count; i++) {
		const struct field *at = &r->fields.list[i];

		if (strcmp(at->name, "password") && strcmp(at->name, "csrf"))
			put(data, at->name, at->value);
	}
	return answer_page(r, f->status, name, data);
}
