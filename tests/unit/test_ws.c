// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/libve/ws.h"

static int fds[2]; /* ours, the client's */
static unsigned messages;

static void on_message(void *arg, const uint8_t *data, size_t n)
{
	messages++;
}

static struct ws *begin(void)
{
	struct ws_conf c = { .max = 1000,
			     .read = ws_fd_read,
			     .write = ws_fd_write,
			     .on_message = on_message,
			     .arg = &fds[0] };

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds),
			 0);
	messages = 0;
	return ws_create(&c);
}

static void end(struct ws *w)
{
	ws_destroy(w);
	close(fds[0]);
	close(fds[1]);
}

/* A client's frame of no mask to speak of.  How many of @n were taken before none was for a while. */
static unsigned push(struct ws *w, uint8_t opcode, unsigned n)
{
	uint8_t frame[6 + 100] = { 0x80 | opcode, 0x80 | 100 };
	unsigned taken = 0;

	for (unsigned idle = 0; taken < n && idle < 100;) {
		if (write(fds[1], frame, sizeof(frame)) == sizeof(frame)) {
			taken++;
			idle = 0;
			continue;
		}
		idle++;
		assert_int_equal(ws_step(w), 0);
	}
	return taken;
}

static size_t drain(void)
{
	uint8_t chunk[65536];
	size_t all = 0;
	ssize_t n;

	while ((n = read(fds[1], chunk, sizeof(chunk))) > 0)
		all += (size_t)n;
	return all;
}

static void who_pings_and_does_not_read_is_not_heard_on(void **state)
{
	struct ws *w = begin();
	unsigned taken = push(w, 9, 100000);

	assert_in_range(taken, 1000, 20000);
	assert_false(ws_wants_read(w));
	/* and is, when he reads */
	for (int i = 0; i < 1000 && drain(); i++)
		assert_int_equal(ws_step(w), 0);
	assert_true(ws_wants_read(w));
	assert_int_equal(push(w, 2, 10), 10);
	assert_int_equal(ws_step(w), 0);
	assert_int_equal(messages, 10);
	end(w);
}

static void messages_that_need_no_answer_go_on(void **state)
{
	struct ws *w = begin();

	assert_int_equal(push(w, 2, 100000), 100000);
	for (int i = 0; i < 1000 && messages < 100000; i++)
		assert_int_equal(ws_step(w), 0);
	assert_int_equal(messages, 100000);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_pings_and_does_not_read_is_not_heard_on),
		cmocka_unit_test(messages_that_need_no_answer_go_on),
	};

	return cmocka_run_group_tests_name("ws", tests, NULL, NULL);
}
