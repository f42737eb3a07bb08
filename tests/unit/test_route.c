// SPDX-License-Identifier: Apache-2.0
/* The table is the authorisation: what must be true of all of its rows, and how
 * paths are matched. */
#include "portal/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "portal/fault.h"
#include "portal/field.h"

static void each_change_needs_a_token(void **state)
{
	size_t n;
	const struct route *t = route_table(&n);

	for (size_t i = 0; i < n; i++) {
		/* a link from a letter is a token itself, and nobody's cookie */
		bool changes = t[i].method != METHOD_GET &&
			       strncmp(t[i].fields, "link", 4) != 0;

		if (changes != !!(t[i].flags & CSRF))
			fail_msg("%s", t[i].path);
	}
}

static void operators_paths_are_for_operators(void **state)
{
	size_t n;
	const struct route *t = route_table(&n);

	for (size_t i = 0; i < n; i++) {
		bool admin = strstr(t[i].path, "/admin");

		if (admin != (t[i].who == WHO_OPERATOR))
			fail_msg("%s", t[i].path);
	}
}

static void what_names_a_ve_or_a_key_needs_a_session(void **state)
{
	size_t n;
	const struct route *t = route_table(&n);

	for (size_t i = 0; i < n; i++)
		if ((strstr(t[i].path, "{veid}") ||
		     strstr(t[i].path, "{id}")) &&
		    t[i].who == WHO_ANYBODY)
			fail_msg("%s", t[i].path);
}

/* One field of a form, alone: how fields_check() judges it. */
static int judge(const char *name, size_t n, const char *value)
{
	struct fields f = { 0 };
	struct err e = { 0 };
	char body[128], wanted[64];
	int rc;

	snprintf(body, sizeof(body), "%.*s=%s", (int)n, name, value);
	snprintf(wanted, sizeof(wanted), "%.*s", (int)n, name);
	rc = fields_from_form(&f, body, strlen(body), &e);
	if (!rc)
		rc = fields_check(&f, wanted, &e);
	fields_fini(&f);
	return rc;
}

static void no_field_takes_nul_or_control_bytes(void **state)
{
	static const char *const bad[] = { "a%00b", "a%01b", "a%0Ab", "a%1Bb",
					   "a%7Fb", "a%C2%85b" };
	size_t n, seen = 0;
	const struct route *t = route_table(&n);

	for (size_t i = 0; i < n; i++)
		for (const char *s = t[i].fields; *s;) {
			size_t len = strcspn(s, " ?");

			for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++)
				if (judge(s, len, bad[k]) !=
				    fault_code(FAULT_MALFORMED))
					fail_msg("%s %.*s=%s", t[i].path,
						 (int)len, s, bad[k]);
			seen++;
			s += len;
			s += strspn(s, " ?");
		}
	assert_true(seen > 50);
	assert_int_equal(judge("why", 3, "a b"), 0);
}

static void bodies_are_bounded_and_reads_have_none(void **state)
{
	size_t n;
	const struct route *t = route_table(&n);

	for (size_t i = 0; i < n; i++) {
		if (t[i].bound > 65536)
			fail_msg("%s takes too much", t[i].path);
		if (t[i].method == METHOD_GET && t[i].bound)
			fail_msg("%s takes a body", t[i].path);
		if (!t[i].handler || !t[i].fields)
			fail_msg("%s is not complete", t[i].path);
	}
}

static void passwords_are_hashed_in_the_heavy_lane_only(void **state)
{
	size_t n;
	const struct route *t = route_table(&n);

	for (size_t i = 0; i < n; i++)
		if (!!strstr(t[i].fields, "password") !=
		    (t[i].lane == LANE_HEAVY))
			fail_msg("%s", t[i].path);
}

static int find(struct request **r, enum method m, const char *path)
{
	struct err e = { 0 };

	*r = request_create(NULL, path);
	(*r)->method = m;
	return route_find(*r, &e);
}

static void a_path_gives_its_parameters(void **state)
{
	struct request *r;

	assert_int_equal(
		find(&r, METHOD_GET, "/ves/1000/terminals/main/ws?from=7"), 0);
	assert_int_equal(r->veid, 1000);
	assert_string_equal(r->name, "main");
	assert_int_equal(request_number(r, "from", 1000, 0), 7);
	assert_int_equal(request_number(r, "from", 6, 1), 1);
	assert_int_equal(request_number(r, "rom", 1000, 5), 5);
	request_destroy(r);
	assert_int_equal(find(&r, METHOD_GET, "/"), 0);
	assert_string_equal(r->route->path, "/");
	request_destroy(r);
}

static void what_is_no_path_of_ours_is_not_found(void **state)
{
	static const char *const paths[] = {
		"/x",
		"//",
		"/ves/0",
		"/ves/01",
		"/ves/-1",
		"/ves/1000/",
		"/ves/2147483648",
		"/ves/1e3",
		"/ves/1000x",
		"/ves//1000",
		"/ves/99999999999999999999",
		"/static/",
		"/static/..",
		"/static/.x",
		"/static/a/b",
		"/static/A",
		"/login/",
		"",
		"/ves/1000/terminals/a b/ws",
		"/vendor/x",
		"/login%00",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct request *r;

		if (find(&r, METHOD_GET, paths[i]) !=
		    fault_code(FAULT_NOT_FOUND))
			fail_msg("%s", paths[i]);
		request_destroy(r);
	}
}

static void a_wrong_method_is_told_the_right_ones(void **state)
{
	struct request *r;

	assert_int_equal(find(&r, METHOD_DELETE, "/login"),
			 fault_code(FAULT_METHOD));
	assert_string_equal(r->answer.allow, "GET, HEAD, POST");
	request_destroy(r);
}

static void cookies_are_taken_by_their_whole_name(void **state)
{
	static const char good[] =
		"0123456789012345678901234567890123456789012";
	struct request *r = request_create(NULL, "/");
	char header[200];

	snprintf(header, sizeof(header), "a=b; X__Host-ve=%s; __Host-ve=short",
		 good);
	request_cookies(r, header);
	assert_string_equal(r->session, "");
	snprintf(header, sizeof(header), "__Host-vp=%s; __Host-ve=%s; c", good,
		 good);
	request_cookies(r, header);
	assert_string_equal(r->session, good);
	assert_string_equal(r->visitor, good);
	request_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_change_needs_a_token),
		cmocka_unit_test(operators_paths_are_for_operators),
		cmocka_unit_test(what_names_a_ve_or_a_key_needs_a_session),
		cmocka_unit_test(no_field_takes_nul_or_control_bytes),
		cmocka_unit_test(bodies_are_bounded_and_reads_have_none),
		cmocka_unit_test(passwords_are_hashed_in_the_heavy_lane_only),
		cmocka_unit_test(a_path_gives_its_parameters),
		cmocka_unit_test(what_is_no_path_of_ours_is_not_found),
		cmocka_unit_test(a_wrong_method_is_told_the_right_ones),
		cmocka_unit_test(cookies_are_taken_by_their_whole_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
