// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "agent/libve/grant.h"
#include "agent/libve/wire.h"

static const uint8_t key[GRANT_KEY] = { 1, 2, 3 };

static const struct grant sample = {
	.veid = 1000,
	.kind = TERM_EXEC,
	.exp = 1060,
	.node = "n1",
	.sub = "s:42",
	.nonce = "0123456789abcdef0123456789abcdef",
};

static int verify(const char *text, int64_t now)
{
	struct grant g;
	struct err e = { 0 };
	int r = grant_verify(&g, text, key, now, &e);

	assert_true(r == 0 || (r == -EACCES && e.text[0]));
	return r;
}

static void a_grant_survives_the_round(void **state)
{
	struct buf b _buf_ = { 0 };
	struct grant g;

	grant_make(&b, &sample, key);
	assert_int_equal(grant_verify(&g, b.data, key, 1000, NULL), 0);
	assert_int_equal(g.veid, 1000);
	assert_int_equal(g.kind, TERM_EXEC);
	assert_string_equal(g.node, "n1");
	assert_string_equal(g.sub, "s:42");
	assert_string_equal(g.nonce, sample.nonce);
}

static void a_port_is_part_of_its_grant(void **state)
{
	struct grant g = sample, got;
	struct buf b _buf_ = { 0 }, none _buf_ = { 0 };

	g.kind = GRANT_PORT;
	g.port = 8080;
	grant_make(&b, &g, key);
	assert_int_equal(grant_verify(&got, b.data, key, 1000, NULL), 0);
	assert_int_equal(got.kind, GRANT_PORT);
	assert_int_equal(got.port, 8080);
	g.port = 0;
	grant_make(&none, &g, key);
	assert_int_equal(verify(none.data, 1000), -EACCES);
}

static void time_bounds_hold(void **state)
{
	struct buf b _buf_ = { 0 };

	grant_make(&b, &sample, key);
	assert_int_equal(verify(b.data, 1060), 0);
	assert_int_equal(verify(b.data, 1061), -EACCES);
	assert_int_equal(verify(b.data, 1060 - GRANT_AHEAD), 0);
	assert_int_equal(verify(b.data, 1059 - GRANT_AHEAD), -EACCES);
}

/* No single changed character leaves a grant valid. */
static void any_change_is_refused(void **state)
{
	struct buf b _buf_ = { 0 };

	grant_make(&b, &sample, key);
	for (size_t i = 0; i < b.len; i++) {
		char was = b.data[i];

		for (const char *c = "AZaz09-_.=+/ "; *c; c++) {
			if (*c == was)
				continue;
			b.data[i] = *c;
			assert_int_equal(verify(b.data, 1000), -EACCES);
		}
		b.data[i] = was;
	}
	assert_int_equal(verify(b.data, 1000), 0);
	for (size_t n = b.len; n-- > 0;) {
		b.data[n] = '\0';
		assert_int_equal(verify(b.data, 1000), -EACCES);
	}
}

static void another_key_does_not_open(void **state)
{
	static const uint8_t other[GRANT_KEY] = { 9 };
	struct buf b _buf_ = { 0 };

	grant_make(&b, &sample, other);
	assert_int_equal(verify(b.data, 1000), -EACCES);
}

static void keys_are_64_hex_digits(void **state)
{
	static const char hex[] = " 000102030405060708090a0b0c0d0e0f"
				  "101112131415161718191a1B1c1d1e1f\n";
	uint8_t k[GRANT_KEY];

	assert_int_equal(grant_key_parse(k, hex), 0);
	assert_int_equal(k[0], 0);
	assert_int_equal(k[27], 0x1b);
	assert_int_equal(grant_key_parse(k, hex + 2), -EINVAL);
	assert_int_equal(grant_key_parse(k, ""), -EINVAL);
}

static void base64_is_strict(void **state)
{
	char out[8];

	assert_int_equal(base64_decode(out, 8, "aGk", 3, 0), 2);
	assert_memory_equal(out, "hi", 2);
	assert_int_equal(base64_decode(out, 8, "aGk=", 4, 1), 2);
	assert_int_equal(base64_decode(out, 8, "aGk=", 4, 0), -EINVAL);
	assert_int_equal(base64_decode(out, 8, "aGl", 3, 0), -EINVAL);
	assert_int_equal(base64_decode(out, 8, "a", 1, 0), -EINVAL);
	assert_int_equal(base64_decode(out, 1, "aGk", 3, 0), -EINVAL);
	assert_int_equal(base64_decode(out, 8, "-_-_", 4, 1), -EINVAL);
	assert_int_equal(base64_decode(out, 8, "+/+/", 4, 1), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_grant_survives_the_round),
		cmocka_unit_test(a_port_is_part_of_its_grant),
		cmocka_unit_test(time_bounds_hold),
		cmocka_unit_test(any_change_is_refused),
		cmocka_unit_test(another_key_does_not_open),
		cmocka_unit_test(keys_are_64_hex_digits),
		cmocka_unit_test(base64_is_strict),
	};

	return cmocka_run_group_tests_name("grant", tests, NULL, NULL);
}
