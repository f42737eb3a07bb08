// SPDX-License-Identifier: Apache-2.0
#include "portal/request.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "agent/libve/clean.h"
#include "portal/answer.h"

struct request *request_create(struct web *web, const char *target)
{
	struct request *r = xcalloc(1, sizeof(*r));
	size_t n = strcspn(target, "?");

	r->web = web;
	r->target = xstrdup(target);
	r->query = r->target[n] ? r->target + n + 1 : "";
	snprintf(r->path, sizeof(r->path), "%.*s", (int)n, target);
	if (n >= sizeof(r->path))
		r->path[0] = '\0'; /* fits no route */
	r->api = !strncmp(r->path, "/api/", 5);
	return r;
}

void request_destroy(struct request *r)
{
	if (!r)
		return;
	if (r->body.data)
		explicit_bzero(r->body.data, r->body.len);
	fields_fini(&r->fields);
	json_object_put(r->me);
	buf_free(&r->body);
	answer_fini(&r->answer);
	free(r->target);
	free(r);
}

static void take_cookie(char out[static TOKEN_TEXT], const char *value,
			size_t n)
{
	char text[TOKEN_TEXT];

	if (n != TOKEN_TEXT - 1)
		return;
	snprintf(text, sizeof(text), "%.*s", (int)n, value);
	if (token_is_valid(text))
		memcpy(out, text, TOKEN_TEXT);
}

void request_cookies(struct request *r, const char *header)
{
	static const char session[] = COOKIE_SESSION "=";
	static const char visitor[] = COOKIE_VISITOR "=";

	while (*header) {
		size_t n = strcspn(header, ";");

		if (!strncmp(header, session, sizeof(session) - 1))
			take_cookie(r->session, header + sizeof(session) - 1,
				    n - sizeof(session) + 1);
		else if (!strncmp(header, visitor, sizeof(visitor) - 1))
			take_cookie(r->visitor, header + sizeof(visitor) - 1,
				    n - sizeof(visitor) + 1);
		header += n;
		header += strspn(header, "; ");
	}
}

uint64_t request_number(const struct request *r, const char *name, uint64_t max,
			uint64_t fallback)
{
	size_t n = strlen(name);

	for (const char *s = r->query; *s;) {
		uint64_t v = 0;

		if (!strncmp(s, name, n) && s[n] == '=' &&
		    isdigit((unsigned char)s[n + 1])) {
			for (s += n + 1; isdigit((unsigned char)*s); s++) {
				v = v * 10 + (uint64_t)(*s - '0');
				if (v > max)
					return fallback;
			}
			return !*s || *s == '&' ? v : fallback;
		}
		s += strcspn(s, "&");
		s += *s == '&';
	}
	return fallback;
}

const char *request_bearer(struct request *r)
{
	if (r->me)
		return r->session;
	if (!*r->visitor) {
		token_make(r->visitor);
		answer_cookie(&r->answer, COOKIE_VISITOR, r->visitor, 86400);
	}
	return r->visitor;
}

bool request_is_operator(const struct request *r)
{
	struct json_object *v;

	return r->me && json_object_object_get_ex(r->me, "operator", &v) &&
	       json_object_get_boolean(v);
}
