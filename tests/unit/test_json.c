// SPDX-License-Identifier: Apache-2.0
/* The grammar check, the field table and the writer of libve's JSON. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "agent/libve/json.h"

static int parse(const char *text)
{
	struct json_object *tree _json_ = NULL;
	struct err e = { 0 };
	int r = json_parse(&tree, text, strlen(text), 4096, &e);

	assert_true(r == 0 || e.text[0]);
	return r;
}

static void strict_json_is_taken(void **state)
{
	static const char *const good[] = {
		"{}", "[]", "0", "-0", "1.5e-3", "\"\"", "true", "null",
		" { \"a\" : [ 1 , -2 , \"x\\n\\u00e9\\ud83d\\ude00\" ] } ",
		"{\"a\":{\"a\":1},\"b\":{\"a\":1}}", "9223372036854775807",
		"-9223372036854775808", "\"\xc3\xa9\"",
		"[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (parse(good[i]) != 0)
			fail_msg("refused: %s", good[i]);
}

static void everything_else_is_refused(void **state)
{
	static const char *const bad[] = {
		"", " ", "NaN", "Infinity", "-Infinity", "{'a':1}", "{a:1}",
		"{\"a\":1,\"a\":2}", "{\"x\":{\"a\":1,\"\\u0061\":2}}",
		"\"\\u0000\"", "\"a\tb\"", "\"\x7f\"", "\"\\x41\"", "\"\\ud800\"",
		"\"\\udc00\"", "\"\\ud800\\u0041\"", "\"abc", "[1,]", "{\"a\":1,}",
		"[1 2]", "01", "1.", ".5", "+1", "1e", "0x10", "tru", "nulll",
		"1 2", "{} {}", "/* c */ 1", "9223372036854775808",
		"18446744073709551616", "\"\xff\"", "\"\xc0\x80\"", "{\"a\"}",
		"{1:2}", "[", "{", "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i]) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
}

static void nul_inside_is_refused(void **state)
{
	struct json_object *tree _json_ = NULL;

	assert_int_equal(json_parse(&tree, "\"a\0b\"", 5, 64, NULL), -EBADMSG);
	assert_int_equal(json_parse(&tree, "1\0", 2, 64, NULL), -EBADMSG);
}

static void long_text_is_refused(void **state)
{
	struct json_object *tree _json_ = NULL;

	assert_int_equal(json_parse(&tree, "[1,2]", 5, 4, NULL), -E2BIG);
}

struct inner {
	int64_t x;
};

struct sample {
	char name[8];
	int64_t n;
	bool yes;
	bool has_note;
	char note[8];
	struct inner in;
	struct json_object *list;
};

static const struct json_field inner_fields[] = {
	JSON_ROW_INT("x", struct inner, x, JSON_REQUIRED, 0, 5),
	JSON_ROW_END,
};

static const struct json_field fields[] = {
	JSON_ROW_STRING("name", struct sample, name, JSON_REQUIRED, 1, 7),
	JSON_ROW_INT("n", struct sample, n, 0, -3, 3),
	JSON_ROW_BOOL("yes", struct sample, yes, 0),
	{ "note", JSON_STRING, JSON_NULLABLE, offsetof(struct sample, note), 8,
	  0, 7, offsetof(struct sample, has_note), NULL },
	JSON_ROW_OBJECT("in", struct sample, in, 0, inner_fields),
	JSON_ROW_TREE("list", struct sample, list, 0),
	JSON_ROW_END,
};

static int decode(const char *text, struct sample *s, bool strict)
{
	return json_decode(text, strlen(text), 4096, fields, s, strict, NULL);
}

/* json-c gives the nearest number that fits. */
static void what_does_not_fit_is_not_the_greatest(void **state)
{
	static const struct json_field wide[] = {
		JSON_ROW_INT("n", struct sample, n, JSON_REQUIRED, INT64_MIN,
			     INT64_MAX),
		JSON_ROW_END,
	};
	static const struct {
		const char *text;
		bool ok;
	} all[] = {
		{ "{\"n\":9223372036854775807}", true },
		{ "{\"n\":9223372036854775808}", false },
		{ "{\"n\":18446744073709551616}", false },
		{ "{\"n\":99999999999999999999999999}", false },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct sample s = { .n = 0 };

		assert_int_equal(json_decode(all[i].text, strlen(all[i].text),
					     4096, wide, &s, true, NULL),
				 all[i].ok ? 0 : -EBADMSG);
	}
}

static void table_fills_the_struct(void **state)
{
	struct sample s = { .n = 2 };

	assert_int_equal(decode("{\"name\":\"abc\",\"yes\":true,\"note\":null,"
				"\"in\":{\"x\":5}}", &s, true), 0);
	assert_string_equal(s.name, "abc");
	assert_int_equal(s.n, 2);
	assert_true(s.yes && s.has_note);
	assert_string_equal(s.note, "");
	assert_int_equal(s.in.x, 5);
}

static void table_refuses_what_does_not_fit(void **state)
{
	static const char *const bad[] = {
		"[]", "{}", "{\"name\":\"\"}", "{\"name\":\"12345678\"}",
		"{\"name\":1}", "{\"name\":null}", "{\"name\":\"a\",\"n\":4}",
		"{\"name\":\"a\",\"n\":1.0}", "{\"name\":\"a\",\"n\":\"1\"}",
		"{\"name\":\"a\",\"yes\":1}", "{\"name\":\"a\",\"other\":1}",
		"{\"name\":\"a\",\"in\":{}}", "{\"name\":\"a\",\"in\":[]}",
		"{\"name\":\"a\",\"in\":{\"x\":1,\"y\":2}}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sample s = { 0 };

		if (decode(bad[i], &s, true) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
	}
}

static void replies_may_grow(void **state)
{
	struct sample s = { 0 };

	assert_int_equal(decode("{\"name\":\"a\",\"other\":{\"z\":1}}", &s,
				false), 0);
}

static void writer_escapes_and_separates(void **state)
{
	struct buf b _buf_ = { 0 };
	struct json_out o = { .b = &b };

	json_open(&o, NULL, '{');
	json_put_string(&o, "s", "a\"\\\n<\xff\xc3\xa9");
	json_put_int(&o, "i", -7);
	json_open(&o, "a", '[');
	json_put_bool(&o, NULL, true);
	json_put_null(&o, NULL);
	json_close(&o, ']');
	json_put_maybe(&o, "m", "");
	json_put_raw(&o, "r", "{}");
	json_close(&o, '}');
	assert_string_equal(b.data,
			    "{\"s\":\"a\\\"\\\\\\u000a\\u003c\\ufffd\xc3\xa9\","
			    "\"i\":-7,\"a\":[true,null],\"m\":null,\"r\":{}}");
	assert_int_equal(parse(b.data), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strict_json_is_taken),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(nul_inside_is_refused),
		cmocka_unit_test(long_text_is_refused),
		cmocka_unit_test(table_fills_the_struct),
		cmocka_unit_test(what_does_not_fit_is_not_the_greatest),
		cmocka_unit_test(table_refuses_what_does_not_fit),
		cmocka_unit_test(replies_may_grow),
		cmocka_unit_test(writer_escapes_and_separates),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
