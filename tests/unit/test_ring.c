// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/ring.h"

static void fill(uint8_t *p, uint64_t seq, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)((seq + i) * 31 >> 3);
}

/* Put until number @to, in uneven pieces. */
static void put_to(struct ring *r, uint64_t to)
{
	static uint8_t piece[70001];

	while (ring_hi(r) < to) {
		uint64_t n = to - ring_hi(r);

		n = n < sizeof(piece) ? n : sizeof(piece);
		fill(piece, ring_hi(r), n);
		ring_put(r, piece, n);
	}
}

static void bytes_keep_their_numbers(void **state)
{
	struct ring *r = ring_create();
	uint8_t got[5000], want[5000];

	put_to(r, 3 * RING_SIZE + 12345);
	assert_int_equal(ring_lo(r), 2 * RING_SIZE + 12345);
	for (uint64_t seq = ring_lo(r); seq + 5000 <= ring_hi(r); seq += 4999) {
		assert_int_equal(ring_read(r, seq, got, 5000), 5000);
		fill(want, seq, 5000);
		assert_memory_equal(got, want, 5000);
	}
	ring_destroy(r);
}

static void what_is_not_held_is_not_read(void **state)
{
	struct ring *r = ring_create();
	uint8_t got[16];

	assert_int_equal(ring_read(r, 0, got, 16), 0);
	put_to(r, 10);
	assert_int_equal(ring_read(r, 5, got, 16), 5);
	assert_int_equal(ring_read(r, 10, got, 16), 0);
	assert_int_equal(ring_read(r, 11, got, 16), 0);
	put_to(r, RING_SIZE + 10);
	assert_int_equal(ring_read(r, 9, got, 16), 0);
	assert_int_equal(ring_read(r, 10, got, 16), 16);
	ring_destroy(r);
}

static void one_put_may_exceed_the_ring(void **state)
{
	struct ring *r = ring_create();
	size_t n = 2 * RING_SIZE + 7;
	uint8_t *big = malloc(n), got[64], want[64];

	fill(big, 0, n);
	ring_put(r, big, n);
	assert_int_equal(ring_hi(r), n);
	assert_int_equal(ring_read(r, n - 64, got, 64), 64);
	fill(want, n - 64, 64);
	assert_memory_equal(got, want, 64);
	free(big);
	ring_destroy(r);
}

static void another_life_reads_on(void **state)
{
	struct ring *r = ring_create(), *again;
	uint8_t got[100], want[100];

	put_to(r, RING_SIZE + 500);
	again = ring_adopt(dup(ring_fd(r)));
	ring_destroy(r);
	assert_non_null(again);
	assert_int_equal(ring_hi(again), RING_SIZE + 500);
	assert_int_equal(ring_read(again, 600, got, 100), 100);
	fill(want, 600, 100);
	assert_memory_equal(got, want, 100);
	ring_destroy(again);
}

static void what_is_no_ring_is_refused(void **state)
{
	int p[2];

	assert_int_equal(pipe(p), 0);
	assert_null(ring_adopt(p[0]));
	close(p[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_keep_their_numbers),
		cmocka_unit_test(what_is_not_held_is_not_read),
		cmocka_unit_test(one_put_may_exceed_the_ring),
		cmocka_unit_test(another_life_reads_on),
		cmocka_unit_test(what_is_no_ring_is_refused),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
