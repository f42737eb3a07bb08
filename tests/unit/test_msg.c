// SPDX-License-Identifier: Apache-2.0
/* Messages between the parts: what the table does not know does not pass. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/msg.h"
#include "agent/name.h"

static int pair[2];

static int open_pair(void **state)
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
			  0, pair);
}

static int close_pair(void **state)
{
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static unsigned open_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void a_message_and_its_descriptors_arrive(void **state)
{
	struct msg_link_is l = { .head = { MSG_LINK, 7 }, .what = LINK_PRIV };
	struct msg m;
	int fd = 0;

	assert_int_equal(msg_send(pair[0], &l, &fd, 1), 0);
	assert_int_equal(msg_recv(pair[1], &m), 0);
	assert_int_equal(m.m.head.id, 7);
	assert_int_equal(m.m.link.what, LINK_PRIV);
	assert_int_equal(m.nfds, 1);
	assert_int_equal(fcntl(m.fds[0], F_GETFD), FD_CLOEXEC);
	msg_fini(&m);
}

static void the_end_and_emptiness_show(void **state)
{
	struct msg m;

	assert_int_equal(msg_recv(pair[1], &m), -EAGAIN);
	shutdown(pair[0], SHUT_WR);
	assert_int_equal(msg_recv(pair[1], &m), -EPIPE);
}

/* Whoever sent it died with a message of ours unread. */
static void what_was_sent_before_a_death_arrives(void **state)
{
	struct msg_keep k = { .head.type = MSG_KEEP, .key = 7 };
	struct msg m;

	assert_int_equal(msg_send(pair[0], &k, NULL, 0), 0);
	assert_int_equal(msg_send(pair[1], &k, NULL, 0), 0);
	close(pair[0]);
	pair[0] = -1;
	assert_int_equal(msg_recv_now(pair[1], &m), 0);
	assert_int_equal(m.m.keep.key, 7);
	assert_int_equal(msg_recv_now(pair[1], &m), -EPIPE);
}

/* Every type with every wrong length and wrong number of descriptors. */
static void wrong_lengths_are_refused(void **state)
{
	union msg_any m;

	for (uint32_t type = 0; type < 64; type++) {
		size_t right = msg_size(type);

		memset(&m, 0, sizeof(m));
		m.head.type = type;
		for (size_t n = 0; n <= sizeof(m); n++) {
			int ok = 0;

			for (unsigned fds = 0; fds <= MSG_FDS; fds++)
				ok |= msg_check(&m, n, fds) == 0;
			assert_int_equal(ok, right && n == right);
		}
	}
}

/* Descriptors beside a bad message are closed. */
static void refused_descriptors_are_closed(void **state)
{
	struct msg_ve v = { .head.type = MSG_LIST };
	unsigned before = open_fds();
	int fds[2] = { 0, 1 };
	struct msg m;

	assert_int_equal(msg_send(pair[0], &v, fds, 2), 0);
	assert_int_equal(msg_recv(pair[1], &m), -EBADMSG);
	assert_int_equal(open_fds(), before);
}

static void strings_must_end(void **state)
{
	union msg_any m = { .start.head.type = MSG_START };

	assert_int_equal(msg_check(&m, sizeof(m.start), 0), 0);
	memset(m.start.template, 'a', sizeof(m.start.template));
	assert_int_equal(msg_check(&m, sizeof(m.start), 0), -EBADMSG);
	m.start.template[32] = '\0';
	memset(m.start.hostname, 'a', sizeof(m.start.hostname));
	assert_int_equal(msg_check(&m, sizeof(m.start), 0), -EBADMSG);
}

static void counts_must_fit(void **state)
{
	union msg_any m = { .entries = { .head.type = MSG_ENTRIES_IS,
					 .nr = MSG_ENTRIES } };

	assert_int_equal(msg_check(&m, sizeof(m.entries), 0), 0);
	m.entries.nr++;
	assert_int_equal(msg_check(&m, sizeof(m.entries), 0), -EBADMSG);
	memset(&m, 0, sizeof(m));
	m.attach.head.type = MSG_ATTACH;
	m.attach.nextra = MSG_EXTRA + 1;
	assert_int_equal(msg_check(&m, sizeof(m.attach), 1), -EBADMSG);
}

/* Random bytes under every type: nothing reads beyond the message. */
static void noise_does_no_harm(void **state)
{
	unsigned seed = 1;
	union msg_any *m = malloc(sizeof(*m));

	for (int i = 0; i < 20000; i++) {
		uint8_t *p = (uint8_t *)m;

		for (size_t at = 0; at < 512; at++)
			p[at] = (uint8_t)(rand_r(&seed) >> 7);
		m->head.type = (uint32_t)i % 64;
		msg_check(m, msg_size(m->head.type), (unsigned)i % (MSG_FDS + 1));
	}
	free(m);
}

static void names_have_their_form(void **state)
{
	static const char *const good[] = { "a", "main", "x-1", "0" };
	static const char *const bad[] = { "", "-a", "A", "a/b", "..", "a.b", "a b",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	struct limits l = { .memory = 64 << 20, .processes = 10,
			    .cpu_weight = 100 };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(is_name(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(is_name(bad[i]));
	assert_true(is_hostname("a.b-c.D"));
	assert_false(is_hostname("a..b") || is_hostname("-a") || is_hostname("a-") ||
		     is_hostname("") || is_hostname("a_b") || is_hostname("a."));
	assert_true(is_limits(&l));
	l.cpu_weight = 0;
	assert_false(is_limits(&l));
	assert_false(is_veid(0) || is_veid(-1) || is_veid(1LL << 31));
	assert_true((uint64_t)slot_id(SLOT_MAX - 1) + SLOT_SIZE < 1ULL << 31);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_pair, close_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_and_its_descriptors_arrive),
		TEST(the_end_and_emptiness_show),
		TEST(what_was_sent_before_a_death_arrives),
		TEST(wrong_lengths_are_refused),
		TEST(refused_descriptors_are_closed),
		TEST(strings_must_end),
		TEST(counts_must_fit),
		TEST(noise_does_no_harm),
		TEST(names_have_their_form),
	};

	return cmocka_run_group_tests_name("msg", tests, NULL, NULL);
}
