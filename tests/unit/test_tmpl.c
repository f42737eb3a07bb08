// SPDX-License-Identifier: Apache-2.0
#include "portal/tmpl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

static char dir[] = "/tmp/ve-tmpl.XXXXXX";

static void put_file(const char *sub, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, sub);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Renders @text, with a partial "p" beside it, over @json. */
static void expect(const char *text, const char *json, const char *wanted)
{
	struct json_object *data = json_tokener_parse(json);
	struct tmpl_set *set = NULL;
	_buf_ struct buf out = { 0 };
	struct err e = { 0 };

	assert_non_null(data);
	put_file("pages/t.html", text);
	put_file("partials/p.html", "[{{x}}]");
	assert_int_equal(tmpl_load(&set, dir, &e), 0);
	buf_put(&out, "", 0);
	assert_int_equal(tmpl_render(set, "t", data, &out), 0);
	assert_string_equal(out.data, wanted);
	assert_int_equal(tmpl_render(set, "none", data, &out), -2);
	tmpl_free(set);
	json_object_put(data);
}

static void a_hole_is_escaped_for_its_place(void **state)
{
	expect("<p>{{x}}</p>", "{\"x\":\"<&\"}", "<p>&lt;&amp;</p>");
	expect("<i title=\"{{x}}\">", "{\"x\":\"\\\"\\n\"}",
	       "<i title=\"&quot;&#10;\">");
	expect("<a href=\"{{x}}\">", "{\"x\":\"javascript:1\"}",
	       "<a href=\"javascript%3A1\">");
	expect("<p>{{none}}</p>", "{}", "<p></p>");
	expect("{{a.b}}", "{\"a\":{\"b\":7}}", "7");
}

static void sections_repeat_hide_and_compare(void **state)
{
	expect("{{#l}}({{n}}){{/l}}", "{\"l\":[{\"n\":1},{\"n\":2}]}",
	       "(1)(2)");
	expect("{{#l}}x{{/l}}{{^l}}none{{/l}}", "{\"l\":[]}", "none");
	expect("{{#b}}yes{{/b}}{{^b}}no{{/b}}", "{\"b\":false}", "no");
	expect("{{#s=on}}1{{/s}}{{^s=on}}0{{/s}}", "{\"s\":\"on\"}", "1");
	expect("{{#s=on}}1{{/s}}{{^s=on}}0{{/s}}", "{\"s\":\"off\"}", "0");
	expect("{{#o}}{{in}}{{out}}{{/o}}",
	       "{\"o\":{\"in\":1,\"x\":null},\"out\":2}", "12");
	expect("{{#o}}{{#x}}bad{{/x}}{{/o}}", "{\"o\":{\"x\":null},\"x\":true}",
	       "");
}

static void partials_see_the_page(void **state)
{
	expect("{{>p}}", "{\"x\":\"<\"}", "[&lt;]");
	expect("{{>nobody}}", "{}", "");
}

static void numbers_are_made_readable(void **state)
{
	expect("{{n|bytes}}", "{\"n\":134217728}", "128 MiB");
	expect("{{n|bytes}}", "{\"n\":1610612736}", "1.5 GiB");
	expect("{{t|time}}", "{\"t\":\"2026-11-24T05:36:45.123Z\"}",
	       "24 Nov 2026, 05:36 UTC");
	expect("{{t|time}}", "{\"t\":\"<b>\"}", "&lt;b&gt;");
}

static void what_cannot_be_escaped_does_not_load(void **state)
{
	static const char *const bad[] = {
		"<script>{{x}}</script>",
		"<style>{{x}}</style>",
		"<p {{x}}>",
		"<p class={{x}}>",
		"<p onclick=\"{{x}}\">",
		"<p style=\"{{x}}\">",
		"<!-- {{x}} -->",
		"{{x",
		"{{}}",
		"{{#a}}",
		"{{/a}}",
		"{{#a}}{{/b}}",
		"<p {{>p}}>",
		"{{a b}}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = { 0 };

		if (!tmpl_check(bad[i], &e))
			fail_msg("%s", bad[i]);
		assert_non_null(strstr(e.text, "line 1"));
	}
}

static int make_dir(void **state)
{
	char path[256];

	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/pages", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/partials", dir);
	return mkdir(path, 0700);
}

static int drop_dir(void **state)
{
	static const char *const all[] = { "pages/t.html", "partials/p.html",
					   "pages", "partials", "" };
	char path[256];

	for (size_t i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, all[i]);
		remove(path);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hole_is_escaped_for_its_place),
		cmocka_unit_test(sections_repeat_hide_and_compare),
		cmocka_unit_test(partials_see_the_page),
		cmocka_unit_test(numbers_are_made_readable),
		cmocka_unit_test(what_cannot_be_escaped_does_not_load),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
