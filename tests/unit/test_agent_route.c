// SPDX-License-Identifier: Apache-2.0
/* Who may call what: the table, read as a stranger would try it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "agent/handlers.h"

/* The handlers are not called here. */
#define HANDLER(f)                      \
	enum MHD_Result f(struct request *q) \
	{                            \
		return MHD_NO;       \
	}
HANDLER(on_healthz)
HANDLER(on_readyz)
HANDLER(on_openapi)
HANDLER(on_metrics)
HANDLER(on_node)
HANDLER(on_ve_list)
HANDLER(on_ve_get)
HANDLER(on_ve_put)
HANDLER(on_ve_delete)
HANDLER(on_ve_action)
HANDLER(on_operation)
HANDLER(on_terminal_open)
HANDLER(on_terminal_ws)
HANDLER(on_port)
HANDLER(on_block_put)
HANDLER(on_block_delete)
HANDLER(on_events)

static struct request q;
static int status;

static const struct route *find(const char *method, const char *path)
{
	memset(&q, 0, sizeof(q));
	return route_find(method, path, &q, &status);
}

static void parameters_are_read(void **state)
{
	assert_non_null(find("GET", "/v1/ves/2147483647"));
	assert_int_equal(q.veid, 2147483647);
	assert_non_null(find("GET", "/v1/ves/7/terminals/main/ws"));
	assert_int_equal(q.veid, 7);
	assert_string_equal(q.name, "main");
	assert_non_null(find("PUT", "/v1/blocks/b_1"));
	assert_string_equal(q.id, "b_1");
}

static void what_does_not_fit_is_not_found(void **state)
{
	static const char *const bad[] = {
		"/", "", "/v1", "/v1/", "/v1/ves/", "/v1/ves/0", "/v1/ves/01",
		"/v1/ves/-1", "/v1/ves/2147483648", "/v1/ves/99999999999",
		"/v1/ves/7x", "/v1/ves/7/", "/v1/ves/7/terminals//ws",
		"/v1/ves/7/terminals/A/ws", "/v1/ves/7/terminals/-a/ws",
		"/v1/ves/7/terminals/../ws", "/v1/ves/7/terminals/main/ws/x",
		"/v1/blocks/", "/v1/blocks/a/b", "/v1/blocks/B", "/healthz/",
		"/v1/operations/a.b",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (find("GET", bad[i]) || status != 404)
			fail_msg("%s: %d", bad[i], status);
	}
	assert_null(find("PATCH", "/v1/node"));
	assert_int_equal(status, 405);
	assert_null(find("get", "/v1/node"));
	assert_int_equal(status, 405);
}

/* One row for each role: exactly what it opens. */
static void roles_open_only_their_own(void **state)
{
	static const struct {
		const char *method, *path;
		unsigned roles;
	} all[] = {
		{ "GET", "/healthz", ROLE_ANY },
		{ "GET", "/readyz", ROLE_ANY },
		{ "GET", "/openapi.json", ROLE_ANY },
		{ "GET", "/metrics", ROLE_CONTROL | ROLE_METRICS },
		{ "GET", "/v1/node", ROLE_CONTROL },
		{ "GET", "/v1/events", ROLE_CONTROL },
		{ "GET", "/v1/ves", ROLE_CONTROL },
		{ "GET", "/v1/ves/1", ROLE_CONTROL },
		{ "PUT", "/v1/ves/1", ROLE_CONTROL },
		{ "DELETE", "/v1/ves/1", ROLE_CONTROL },
		{ "POST", "/v1/ves/1/actions", ROLE_CONTROL },
		{ "POST", "/v1/ves/1/terminals", ROLE_CONTROL },
		{ "GET", "/v1/ves/1/terminals/main/ws", ROLE_TERMINAL },
		{ "GET", "/v1/operations/1", ROLE_CONTROL },
		{ "PUT", "/v1/blocks/b1", ROLE_CONTROL },
		{ "DELETE", "/v1/blocks/b1", ROLE_CONTROL },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const struct route *r = find(all[i].method, all[i].path);

		assert_non_null(r);
		assert_int_equal(r->roles, all[i].roles);
		assert_true(r->body <= BODY_MAX);
		assert_true(r->body == 0 || strcmp(r->method, "GET"));
	}
	assert_int_equal(route_roles("control"), ROLE_CONTROL);
	assert_int_equal(route_roles("terminal"), ROLE_TERMINAL);
	assert_int_equal(route_roles("metrics"), ROLE_METRICS);
	assert_int_equal(route_roles("") | route_roles("local") |
			 route_roles("peer") | route_roles("Control"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_are_read),
		cmocka_unit_test(what_does_not_fit_is_not_found),
		cmocka_unit_test(roles_open_only_their_own),
	};

	return cmocka_run_group_tests_name("agent_route", tests, NULL, NULL);
}
