// SPDX-License-Identifier: Apache-2.0
/* ve-term.v1: what is encoded is decoded, and nothing else is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/libve/wire.h"

#define BYTES(s) .data = (const uint8_t *)(s), .len = sizeof(s) - 1

static const struct term_msg samples[] = {
	{ .type = TERM_HELLO, .version = 1, .kind = TERM_EXEC, .seq = 5,
	  .seq_hi = UINT64_MAX, .cols = 80, .rows = 1000, BYTES("main") },
	{ .type = TERM_DATA, .seq = 0x0102030405060708, BYTES("x\0y") },
	{ .type = TERM_SNAPSHOT, .seq = 9, BYTES("") },
	{ .type = TERM_STDERR, BYTES("oops") },
	{ .type = TERM_EXIT, .status = 137 },
	{ .type = TERM_NOTICE, .code = 3, .seconds = 60, BYTES("soon") },
	{ .type = TERM_PONG, .stamp = 77 },
	{ .type = TERM_AUTH, BYTES("ticket") },
	{ .type = TERM_INPUT, BYTES("ls\n") },
	{ .type = TERM_RESIZE, .cols = 1, .rows = 24 },
	{ .type = TERM_ACK, .seq = 32768 },
	{ .type = TERM_PING, .stamp = 1 },
	{ .type = TERM_EOF },
};

static enum term_from side(uint8_t type)
{
	return type < 16 ? TERM_FROM_SERVER : TERM_FROM_CLIENT;
}

static void messages_survive_the_round(void **state)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct term_msg *s = &samples[i];
		struct buf b _buf_ = { 0 };
		struct term_msg m;

		term_encode(&b, s);
		assert_int_equal(term_decode(&m, side(s->type), b.data, b.len), 0);
		assert_int_equal(m.type, s->type);
		assert_int_equal(m.seq, s->seq);
		assert_int_equal(m.seq_hi, s->seq_hi);
		assert_int_equal(m.stamp, s->stamp);
		assert_int_equal(m.cols, s->cols);
		assert_int_equal(m.rows, s->rows);
		assert_int_equal(m.status, s->status);
		assert_int_equal(m.code, s->code);
		assert_int_equal(m.seconds, s->seconds);
		assert_int_equal(m.len, s->len);
		if (s->len)
			assert_memory_equal(m.data, s->data, s->len);
	}
}

static void the_wrong_side_may_not_send_it(void **state)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct buf b _buf_ = { 0 };
		struct term_msg m;

		term_encode(&b, &samples[i]);
		assert_int_equal(term_decode(&m, !side(samples[i].type), b.data,
					     b.len), -EBADMSG);
	}
}

/* Cutting any message short inside its fixed part is refused. */
static void short_messages_are_refused(void **state)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct buf b _buf_ = { 0 };
		struct term_msg m;
		size_t fixed;

		term_encode(&b, &samples[i]);
		fixed = b.len - samples[i].len;
		for (size_t n = 0; n < fixed; n++)
			assert_int_equal(term_decode(&m, side(samples[i].type),
						     b.data, n), -EBADMSG);
	}
}

static void values_out_of_range_are_refused(void **state)
{
	static const uint8_t zero_cols[] = { TERM_RESIZE, 0, 0, 0, 24 };
	static const uint8_t wide[] = { TERM_RESIZE, 0xff, 0xff, 0, 24 };
	static const uint8_t trailing[] = { TERM_EOF, 0 };
	static const uint8_t status[] = { TERM_EXIT, 0, 0, 1, 0 };
	static const uint8_t unknown[] = { 99 };
	struct term_msg m;
	uint8_t *big = calloc(1, TERM_MSG_MAX + 1);

	assert_int_equal(term_decode(&m, TERM_FROM_CLIENT, zero_cols, 5), -EBADMSG);
	assert_int_equal(term_decode(&m, TERM_FROM_CLIENT, wide, 5), -EBADMSG);
	assert_int_equal(term_decode(&m, TERM_FROM_CLIENT, trailing, 2), -EBADMSG);
	assert_int_equal(term_decode(&m, TERM_FROM_SERVER, status, 5), -EBADMSG);
	assert_int_equal(term_decode(&m, TERM_FROM_SERVER, unknown, 1), -EBADMSG);
	big[0] = TERM_INPUT;
	assert_int_equal(term_decode(&m, TERM_FROM_CLIENT, big,
				     TERM_DATA_MAX + 1), 0);
	assert_int_equal(term_decode(&m, TERM_FROM_CLIENT, big,
				     TERM_DATA_MAX + 2), -EMSGSIZE);
	assert_int_equal(term_decode(&m, TERM_FROM_CLIENT, big,
				     TERM_MSG_MAX + 1), -EMSGSIZE);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_survive_the_round),
		cmocka_unit_test(the_wrong_side_may_not_send_it),
		cmocka_unit_test(short_messages_are_refused),
		cmocka_unit_test(values_out_of_range_are_refused),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
