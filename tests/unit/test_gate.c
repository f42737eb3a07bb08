// SPDX-License-Identifier: Apache-2.0
/* Places and turns of visits: a flood for those that sleep leaves room for those that are awake. */
#include "portal/gate.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LONG 60000

static struct addr peer(unsigned network, unsigned host)
{
	struct addr a = { .family = 4 };

	a.bytes[0] = 10;
	a.bytes[1] = (uint8_t)(network >> 8);
	a.bytes[2] = (uint8_t)network;
	a.bytes[3] = (uint8_t)host;
	return a;
}

static void there_are_so_many_places(void **state)
{
	struct gate *g = gate_create();
	struct addr a;

	for (unsigned i = 0; i < GATE_VISITS; i++) {
		a = peer(i, 1);
		assert_int_equal(gate_enter(g, &a), 0);
	}
	a = peer(9999, 1);
	assert_int_equal(gate_enter(g, &a), -EBUSY);
	a = peer(3, 1);
	gate_leave(g, &a);
	a = peer(9999, 1);
	assert_int_equal(gate_enter(g, &a), 0);
	gate_destroy(g);
}

static void one_network_does_not_take_all(void **state)
{
	struct gate *g = gate_create();
	struct addr six = { .family = 6, .bytes = { 0x20, 1 } }, other = six;
	struct addr a;

	for (unsigned i = 0; i < GATE_EACH; i++) {
		a = peer(1, i);
		assert_int_equal(gate_enter(g, &a), 0);
	}
	a = peer(1, 250);
	assert_int_equal(gate_enter(g, &a), -EDQUOT);
	a = peer(2, 250);
	assert_int_equal(gate_enter(g, &a), 0);
	other.bytes[15] = 7; /* the same /64 */
	for (unsigned i = 0; i < GATE_EACH; i++)
		assert_int_equal(gate_enter(g, i % 2 ? &six : &other), 0);
	assert_int_equal(gate_enter(g, &six), -EDQUOT);
	other.bytes[7] = 1; /* another */
	assert_int_equal(gate_enter(g, &other), 0);
	gate_destroy(g);
}

/* Somebody who waits for a turn, in a thread. */
struct waits {
	struct gate *g;
	const char *node;
	uint32_t veid;
	int rc, order;
	pthread_t thread;
};

static int turns; /* given so far */

static void *wait_run(void *arg)
{
	struct waits *w = arg;

	w->rc = gate_wake(w->g, w->node, w->veid, LONG);
	w->order = __atomic_add_fetch(&turns, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void begin(struct waits *w, struct gate *g, const char *node,
		  uint32_t veid)
{
	unsigned n = gate_waiting(g);

	*w = (struct waits){ .g = g, .node = node, .veid = veid };
	pthread_create(&w->thread, NULL, wait_run, w);
	while (gate_waiting(g) == n)
		sched_yield();
}

static void turns_come_in_order_one_for_each_ve(void **state)
{
	struct gate *g = gate_create();
	struct waits same, first, second;

	turns = 0;
	for (uint32_t v = 1; v <= GATE_WAKES; v++)
		assert_int_equal(gate_wake(g, "n1", v, 0), 0);
	assert_int_equal(gate_wake(g, "n1", 100, 1), -ETIMEDOUT);
	/* another node's are its own */
	assert_int_equal(gate_wake(g, "n2", 100, 0), 0);
	gate_woken(g, 100);
	begin(&same, g, "n1", 1); /* is being woken by another */
	begin(&first, g, "n1", 101);
	begin(&second, g, "n1", 102);
	gate_woken(g, 5);
	pthread_join(first.thread, NULL);
	assert_int_equal(first.rc, 0);
	assert_int_equal(gate_waiting(g), 2);
	gate_woken(g, 1); /* the one who waits for it is the next in line */
	pthread_join(same.thread, NULL);
	assert_int_equal(same.rc, 0);
	gate_woken(g, 101);
	pthread_join(second.thread, NULL);
	assert_int_equal(second.order, 3);
	gate_destroy(g);
}

static void those_who_sleep_take_half_at_most(void **state)
{
	static struct waits crowd[GATE_SLEEPERS];
	struct gate *g = gate_create();

	for (uint32_t v = 1; v <= GATE_WAKES; v++)
		assert_int_equal(gate_wake(g, "n1", v, 0), 0);
	for (unsigned i = 0; i < GATE_SLEEPERS - GATE_WAKES; i++)
		begin(&crowd[i], g, "n1", 1000 + i);
	assert_int_equal(gate_wake(g, "n1", 5000, LONG), -EBUSY);
	/* who comes to one that is awake has all the rest */
	for (unsigned i = 0; i < GATE_VISITS - GATE_SLEEPERS; i++) {
		struct addr a = peer(i, 1);

		assert_int_equal(gate_enter(g, &a), 0);
	}
	for (uint32_t v = 1; v <= GATE_WAKES; v++)
		gate_woken(g, v);
	for (unsigned i = 0; i < GATE_SLEEPERS - GATE_WAKES; i++) {
		pthread_join(crowd[i].thread, NULL);
		assert_int_equal(crowd[i].rc, 0);
		gate_woken(g, crowd[i].veid);
	}
	assert_int_equal(gate_wake(g, "n1", 5000, 0), 0);
	gate_destroy(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_are_so_many_places),
		cmocka_unit_test(one_network_does_not_take_all),
		cmocka_unit_test(turns_come_in_order_one_for_each_ve),
		cmocka_unit_test(those_who_sleep_take_half_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
