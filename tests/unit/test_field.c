// SPDX-License-Identifier: Apache-2.0
#include "portal/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "portal/fault.h"

static struct fields f;

static int form(const char *body)
{
	struct err e = { 0 };

	fields_fini(&f);
	return fields_from_form(&f, body, strlen(body), &e);
}

static int json(const char *body)
{
	struct err e = { 0 };

	fields_fini(&f);
	return fields_from_json(&f, body, strlen(body), &e);
}

static int check(const char *wanted)
{
	struct err e = { 0 };

	return fields_check(&f, wanted, &e);
}

static void a_form_is_decoded(void **state)
{
	assert_int_equal(form("email=a%40b.c&password=x+y%2B&&why="), 0);
	assert_string_equal(fields_get(&f, "email"), "a@b.c");
	assert_string_equal(fields_get(&f, "password"), "x y+");
	assert_string_equal(fields_get(&f, "why"), "");
	assert_string_equal(fields_get(&f, "none"), "");
	assert_int_equal(form("email"), 0);
	assert_int_equal(form(""), 0);
}

static void a_bad_form_is_not(void **state)
{
	static const char *const bad[] = { "a=%",   "a=%4",   "a=%zz",
					   "a=%00", "a%00=b", "%=b" };

	char many[(FIELDS_MAX + 1) * 5 + 1] = "";

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (form(bad[i]) != fault_code(FAULT_MALFORMED))
			fail_msg("%s", bad[i]);
	for (int i = 0; i < FIELDS_MAX; i++)
		sprintf(many + strlen(many), "f%02d=&", i);
	assert_int_equal(form(many), 0);
	strcat(many, "more=");
	assert_int_equal(form(many), fault_code(FAULT_MALFORMED));
}

static void json_is_a_flat_object(void **state)
{
	static const char *const bad[] = { "",
					   "[]",
					   "1",
					   "{",
					   "{'a':1}",
					   "{\"a\":[]}",
					   "{\"a\":{}}",
					   "{\"a\":null}",
					   "{\"a\":1.5}",
					   "{\"a\":NaN}",
					   "{\"a\":\"\\u0000\"}",
					   "{\"a\":1,\"a\":2}",
					   "{} x" };

	assert_int_equal(json("{\"capacity\":10,\"node\":\"n1\"}"), 0);
	assert_string_equal(fields_get(&f, "capacity"), "10");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (json(bad[i]) != fault_code(FAULT_MALFORMED))
			fail_msg("%s", bad[i]);
}

static void what_is_wanted_must_be_there_and_nothing_else(void **state)
{
	form("email=a@b.c&csrf=abc");
	assert_int_equal(check("email"), 0);
	assert_int_equal(check("email password"), fault_code(FAULT_FIELD));
	assert_int_equal(check("email password?"), 0);
	assert_int_equal(check("mail"), fault_code(FAULT_FIELD));
	assert_int_equal(check(""), fault_code(FAULT_FIELD));
	form("email=a@b.c&email=d@e.f");
	assert_int_equal(check("email"), fault_code(FAULT_MALFORMED));
	form("=x");
	assert_int_equal(check("email?"), fault_code(FAULT_FIELD));
}

static void values_keep_their_bounds(void **state)
{
	char big[2100] = "why=";

	form("node=N1");
	assert_int_equal(check("node"), fault_code(FAULT_FIELD));
	form("capacity=-1");
	assert_int_equal(check("capacity"), fault_code(FAULT_FIELD));
	form("why=a%0ab");
	assert_int_equal(check("why"), fault_code(FAULT_MALFORMED));
	form("why=%ff");
	assert_int_equal(check("why"), fault_code(FAULT_MALFORMED));
	memset(big + 4, 'x', 2000);
	form(big);
	assert_int_equal(check("why"), 0);
	memset(big + 4, 'x', 2001);
	form(big);
	assert_int_equal(check("why"), fault_code(FAULT_FIELD));
	/* a key comes with the end of its line */
	form("key=ssh-ed25519+AAAAAAAAAAAAAA+me%40home%0d%0a");
	assert_int_equal(check("key"), 0);
	assert_string_equal(fields_get(&f, "key"),
			    "ssh-ed25519 AAAAAAAAAAAAAA me@home");
	form("key=ssh-ed25519+AAAAAAAAAAAAAA%0aAAAA");
	assert_int_equal(check("key"), fault_code(FAULT_MALFORMED));
	fields_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_form_is_decoded),
		cmocka_unit_test(a_bad_form_is_not),
		cmocka_unit_test(json_is_a_flat_object),
		cmocka_unit_test(what_is_wanted_must_be_there_and_nothing_else),
		cmocka_unit_test(values_keep_their_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
