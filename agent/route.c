// SPDX-License-Identifier: Apache-2.0
/* What there is to call, and who may: this table and nothing else. */
#include "agent/http.h"

#include <stdlib.h>
#include <string.h>

#include "agent/handlers.h"
#include "agent/name.h"

static const struct route routes[] = {
	/* clang-format off */
	{ "GET",    "/healthz",				ROLE_ANY,     0,	on_healthz },
	{ "GET",    "/readyz",				ROLE_ANY,     0,	on_readyz },
	{ "GET",    "/openapi.json",			ROLE_ANY,     0,	on_openapi },
	{ "GET",    "/metrics",	ROLE_CONTROL | ROLE_METRICS,	      0,	on_metrics },
	{ "GET",    "/v1/node",				ROLE_CONTROL, 0,	on_node },
	{ "GET",    "/v1/events",			ROLE_CONTROL, 0,	on_events },
	{ "GET",    "/v1/ves",				ROLE_CONTROL, 0,	on_ve_list },
	{ "GET",    "/v1/ves/{veid}",			ROLE_CONTROL, 0,	on_ve_get },
	{ "PUT",    "/v1/ves/{veid}",			ROLE_CONTROL, BODY_MAX,	on_ve_put },
	{ "DELETE", "/v1/ves/{veid}",			ROLE_CONTROL, 0,	on_ve_delete },
	{ "POST",   "/v1/ves/{veid}/actions",		ROLE_CONTROL, BODY_MAX,	on_ve_action },
	{ "POST",   "/v1/ves/{veid}/terminals",		ROLE_CONTROL, BODY_MAX,	on_terminal_open },
	{ "GET",    "/v1/ves/{veid}/terminals/{name}/ws", ROLE_TERMINAL, 0,	on_terminal_ws },
	{ "GET",    "/v1/ves/{veid}/ports/{port}",	ROLE_TERMINAL, 0,	on_port },
	{ "GET",    "/v1/operations/{id}",		ROLE_CONTROL, 0,	on_operation },
	{ "PUT",    "/v1/blocks/{id}",			ROLE_CONTROL, BODY_MAX,	on_block_put },
	{ "DELETE", "/v1/blocks/{id}",			ROLE_CONTROL, 0,	on_block_delete },
	/* clang-format on */
};

unsigned route_roles(const char *role)
{
	if (!strcmp(role, "control"))
		return ROLE_CONTROL;
	if (!strcmp(role, "terminal"))
		return ROLE_TERMINAL;
	if (!strcmp(role, "metrics"))
		return ROLE_METRICS;
	return 0;
}

static bool take_veid(const char *s, size_t n, struct request *q)
{
	char *end;
	unsigned long v;

	if (n < 1 || n > 10 || s[0] < '1' || s[0] > '9')
		return false;
	v = strtoul(s, &end, 10);
	if (end != s + n || !is_veid((int64_t)v))
		return false;
	q->veid = (uint32_t)v;
	return true;
}

static bool take_text(const char *s, size_t n, char *out, size_t size)
{
	if (n < 1 || n >= size)
		return false;
	memcpy(out, s, n);
	out[n] = '\0';
	return !out[strspn(out, "abcdefghijklmnopqrstuvwxyz0123456789-_")];
}

static bool take_part(const char *what, const char *s, size_t n,
		      struct request *q)
{
	if (!strncmp(what, "{veid}", 6))
		return take_veid(s, n, q);
	if (!strncmp(what, "{id}", 4) || !strncmp(what, "{port}", 6))
		return take_text(s, n, q->id, sizeof(q->id));
	return take_text(s, n, q->name, sizeof(q->name)) && is_name(q->name);
}

static bool matches(const char *pattern, const char *path, struct request *q)
{
	while (*pattern && *path) {
		size_t n;

		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		n = strcspn(path, "/");
		if (!take_part(pattern, path, n, q))
			return false;
		pattern = strchr(pattern, '}') + 1;
		path += n;
	}
	return !*pattern && !*path;
}

const struct route *route_find(const char *method, const char *path,
			       struct request *q, int *status)
{
	*status = 404;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!matches(routes[i].path, path, q))
			continue;
		if (!strcmp(routes[i].method, method))
			return &routes[i];
		*status = 405;
	}
	return NULL;
}
