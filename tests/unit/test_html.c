// SPDX-License-Identifier: Apache-2.0
#include "portal/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "portal/utf8.h"

#define BAD "\xef\xbf\xbd"

static void expect(void (*escape)(struct buf *, const char *), const char *in,
		   const char *out)
{
	_buf_ struct buf b = { 0 };

	buf_put(&b, "", 0);
	escape(&b, in);
	assert_string_equal(b.data, out);
}

static void markup_becomes_text(void **state)
{
	expect(html_text, "<script>alert('1')</script>&\"",
	       "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;");
	expect(html_text, "plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
	       "plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
}

static void nothing_leaves_an_attribute(void **state)
{
	expect(html_attr, "\" onclick=\"x", "&quot; onclick=&quot;x");
	expect(html_attr, "a\nb\tc", "a&#10;b&#9;c");
}

static void bytes_that_are_no_text_are_replaced(void **state)
{
	expect(html_text,
	       "a\x01"
	       "b\x7f",
	       "a" BAD "b" BAD);
	expect(html_text, "\xff\xc0\xaf", BAD BAD BAD);
	expect(html_text, "\xed\xa0\x80", BAD BAD BAD); /* surrogate */
	expect(html_text, "\xe2\x82", BAD BAD); /* cut short */
	expect(html_text, "\xc3<b>", BAD "&lt;b&gt;"); /* eats no markup */
}

static void an_address_has_no_scheme_of_its_own(void **state)
{
	expect(html_url_path, "javascript:alert(1)",
	       "javascript%3Aalert%281%29");
	expect(html_url_path, "/ves/1000?x=\"", "/ves/1000%3Fx%3D%22");
}

static void clean_text_has_no_control_bytes(void **state)
{
	assert_true(utf8_is_clean(""));
	assert_true(utf8_is_clean("gr\xc3\xbc\xc3\x9f"));
	assert_false(utf8_is_clean("a\nb"));
	assert_false(utf8_is_clean("a\x7f"));
	assert_false(utf8_is_clean("\xc2\x85")); /* C1 */
	assert_false(utf8_is_clean("\xff"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(markup_becomes_text),
		cmocka_unit_test(nothing_leaves_an_attribute),
		cmocka_unit_test(bytes_that_are_no_text_are_replaced),
		cmocka_unit_test(an_address_has_no_scheme_of_its_own),
		cmocka_unit_test(clean_text_has_no_control_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
