// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "agent/libve/addr.h"

static void addresses_are_read_and_printed(void **state)
{
	static const char *const same[] = { "10.77.0.1", "0.0.0.0", "::1", "::",
					    "fd00:5:6::17", "255.255.255.255" };
	static const char *const bad[] = { "", "10.77.0", "10.77.0.01", "1.2.3.4.5",
					   "::1%lo", "1.2.3.4 ", "fd00::g", "host",
					   "10.77.0.256" };
	char text[ADDR_TEXT];
	struct addr a;

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		assert_int_equal(addr_parse(&a, same[i]), 0);
		assert_string_equal(addr_print(text, &a), same[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (addr_parse(&a, bad[i]) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
	assert_string_equal(addr_print(text, &(struct addr){ 0 }), "");
}

static void ranges_are_strict(void **state)
{
	static const char *const bad[] = { "10.0.0.0", "10.0.0.1/24", "10.0.0.0/33",
					   "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/ 8",
					   "/8", "fd00::1/64", "::/129", "10.0.0.0/-1" };
	struct cidr c;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (cidr_parse(&c, bad[i]) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(cidr_parse(&c, "10.77.0.16/28"), 0);
	assert_int_equal(cidr_count(&c), 16);
	assert_int_equal(cidr_parse(&c, "0.0.0.0/0"), 0);
	assert_int_equal(cidr_count(&c), UINT32_MAX);
	assert_int_equal(cidr_parse(&c, "10.0.0.1/32"), 0);
	assert_int_equal(cidr_count(&c), 1);
}

static void nth_carries_and_ends(void **state)
{
	char text[ADDR_TEXT];
	struct cidr c;
	struct addr a;

	assert_int_equal(cidr_parse(&c, "10.0.254.0/23"), 0);
	assert_int_equal(cidr_nth(&c, 257, &a), 0);
	assert_string_equal(addr_print(text, &a), "10.0.255.1");
	assert_true(cidr_contains(&c, &a));
	assert_int_equal(cidr_nth(&c, 512, &a), -ERANGE);
	assert_int_equal(cidr_parse(&c, "fd00::ff00/120"), 0);
	assert_int_equal(cidr_nth(&c, 255, &a), 0);
	assert_string_equal(addr_print(text, &a), "fd00::ffff");
}

static void overlap_is_symmetric(void **state)
{
	struct cidr a, b, c, six;

	cidr_parse(&a, "10.0.0.0/24");
	cidr_parse(&b, "10.0.0.128/25");
	cidr_parse(&c, "10.0.1.0/24");
	cidr_parse(&six, "::/0");
	assert_true(cidr_overlaps(&a, &b) && cidr_overlaps(&b, &a));
	assert_false(cidr_overlaps(&a, &c) || cidr_overlaps(&c, &a));
	assert_false(cidr_overlaps(&a, &six));
}

static bool is_host(const char *text)
{
	struct addr a;

	return addr_parse(&a, text) == 0 && addr_is_host(&a);
}

static bool is_block(const char *text)
{
	struct cidr c;

	return cidr_parse(&c, text) == 0 && cidr_is_block(&c);
}

static void what_is_lent_is_of_hosts(void **state)
{
	static const char *const none[] = {
		"0.0.0.0",	   "0.1.2.3",	"127.0.0.1", "169.254.1.1",
		"224.0.0.1",	   "240.0.0.1", "::",	     "::1",
		"::ffff:10.0.0.1", "fe80::1",	"ff02::1",
		"255.255.255.255",
	};
	struct cidr c;

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (is_host(none[i]))
			fail_msg("taken: %s", none[i]);
	assert_true(is_host("10.77.0.1") && is_host("192.0.2.1"));
	assert_true(is_host("2001:db8::1") && is_host("fd00:77::5"));
	assert_true(is_block("10.77.0.0/16") && is_block("10.77.0.0/32"));
	assert_false(is_block("10.0.0.0/15") || is_block("0.0.0.0/0"));
	assert_false(is_block("127.0.0.0/16") || is_block("224.0.0.0/24"));
	assert_false(is_block("fd00:77::/64"));
	/* as it may come from a part that fell */
	assert_int_equal(cidr_parse(&c, "10.77.0.0/24"), 0);
	c.base.bytes[3] = 1;
	assert_false(cidr_is_block(&c));
	c.base.bytes[3] = 0;
	c.base.bytes[9] = 1;
	assert_false(cidr_is_block(&c));
	c.base.bytes[9] = 0;
	c.bits = 33;
	assert_false(cidr_is_block(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_printed),
		cmocka_unit_test(ranges_are_strict),
		cmocka_unit_test(nth_carries_and_ends),
		cmocka_unit_test(overlap_is_symmetric),
		cmocka_unit_test(what_is_lent_is_of_hosts),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
