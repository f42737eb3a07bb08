// SPDX-License-Identifier: Apache-2.0
/* Beancounters by name: what is one, and what is a bound. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/bean.h"

static void names_and_numbers_agree(void **state)
{
	unsigned n = 0;

	for (unsigned i = 0; i < BEANS; i++) {
		if (!bean_name(i))
			continue;
		assert_int_equal(bean_find(bean_name(i)), i);
		n++;
	}
	assert_int_equal(n, 21);
	assert_int_equal(bean_find("numproc"), BEAN_NUMPROC);
	assert_int_equal(bean_find("dummy"), -ENOENT);
	assert_int_equal(bean_find(""), -ENOENT);
	assert_null(bean_name(BEANS));
	assert_null(bean_name(4));
}

static void good_assignments_are_taken(void **state)
{
	static const struct {
		const char *text;
		int row;
		uint64_t barrier, limit;
	} all[] = {
		{ "numproc=64", 5, 64, 64 },
		{ "numproc=0", 5, 0, 0 },
		{ "kmemsize=100:200", 0, 100, 200 },
		{ "tcpsndbuf=1:unlimited", 13, 1, BEAN_MAX },
		{ "numfile=unlimited", 19, BEAN_MAX, BEAN_MAX },
		{ "swappages=0:9223372036854775807", 24, 0, BEAN_MAX },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct beans b = { 0 };

		assert_int_equal(beans_assign(&b, all[i].text, NULL), 0);
		assert_int_equal(b.set, 1u << all[i].row);
		assert_int_equal(b.of[all[i].row].barrier, all[i].barrier);
		assert_int_equal(b.of[all[i].row].limit, all[i].limit);
	}
}

static void bad_assignments_are_refused(void **state)
{
	static const char *const all[] = {
		"",
		"numproc",
		"numproc=",
		"numproc=-1",
		"numproc=+1",
		"numproc= 1",
		"numproc=1 ",
		"numproc=x",
		"numproc=2:1",
		"numproc=1:",
		"numproc=1:2:3",
		"numproc=:5",
		"numproc=unlimited:5",
		"numproc=unlimitedly",
		"numproc=9223372036854775808",
		"numproc=99999999999999999999999",
		"dummy=1",
		"Numproc=1",
		"=1",
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct beans b = { 0 };
		struct err e = { 0 };

		assert_true(beans_assign(&b, all[i], &e) < 0);
		assert_true(e.text[0]);
	}
}

static void what_is_printed_is_parsed(void **state)
{
	struct beans b = { 0 }, back;
	struct buf out _buf_ = { 0 };

	bean_set(&b, 5, 64, 64);
	bean_set(&b, 0, 0, BEAN_MAX);
	bean_set(&b, 24, 7, 9);
	beans_print(&b, &out);
	assert_string_equal(out.data,
			    "kmemsize=0:9223372036854775807 numproc=64:64"
			    " swappages=7:9");
	assert_int_equal(beans_parse(&back, out.data, NULL), 0);
	assert_memory_equal(&b, &back, sizeof(b));
	assert_int_equal(beans_parse(&back, "", NULL), 0);
	assert_int_equal(back.set, 0);
}

static void bits_of_no_row_are_refused(void **state)
{
	struct beans b = { .set = 1u << 4 };

	assert_int_equal(beans_check(&b, NULL), -EINVAL);
	b.set = 1u << BEANS;
	assert_int_equal(beans_check(&b, NULL), -EINVAL);
	b = (struct beans){ 0 };
	bean_set(&b, 5, (uint64_t)BEAN_MAX + 1, (uint64_t)BEAN_MAX + 1);
	assert_int_equal(beans_check(&b, NULL), -EINVAL);
	bean_set(&b, 5, BEAN_MAX, BEAN_MAX);
	assert_int_equal(beans_check(&b, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_numbers_agree),
		cmocka_unit_test(good_assignments_are_taken),
		cmocka_unit_test(bad_assignments_are_refused),
		cmocka_unit_test(what_is_printed_is_parsed),
		cmocka_unit_test(bits_of_no_row_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
