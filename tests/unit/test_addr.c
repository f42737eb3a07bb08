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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_printed),
		cmocka_unit_test(ranges_are_strict),
		cmocka_unit_test(nth_carries_and_ends),
		cmocka_unit_test(overlap_is_symmetric),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
