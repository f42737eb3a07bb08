// SPDX-License-Identifier: Apache-2.0
/* The lines of api, with the other parts played: what is heard in which order, and
 * a line that is lost. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/api.h"
#include "agent/clock.h"
#include "agent/db.h"
#include "agent/http.h"
#include "agent/part.h"
#include "agent/usage.h"

struct api api;
static atomic_long now; /* ms */
static struct msg_entry heard[16];
static atomic_uint nheard;

/* ---- the rest of api ------------------------------------------------------- */

void op_on_states(const struct msg_entry *e, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		heard[nheard++] = e[i];
}

int64_t clock_mono(void)
{
	return now;
}

void clock_poke(void)
{
}

void state_lock(void)
{
}

void state_unlock(void)
{
}

void usage_refused(const struct msg_refusals *m)
{
}

void open_needed(const struct msg_terminal *m)
{
}

void open_visited(const struct ve *v, enum idle_why why)
{
}

bool ve_load(sqlite3 *db, uint32_t veid, struct ve *v)
{
	return false;
}

int ve_save(sqlite3 *db, struct ve *v)
{
	return 0;
}

void http_listen(int fd)
{
}

void http_accept_local(int fd)
{
}

void http_renew(const int fds[static 3])
{
}

void part_orphaned(void)
{
	_exit(0);
}

/* ---- the others ------------------------------------------------------------ */

static int supervisor;

/* A line of api's to a part that is played; our end. */
static int give_line(enum msg_link what)
{
	struct msg_link_is m = { .head.type = MSG_LINK, .what = what };
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0 ||
	    msg_send(supervisor, &m, &sv[1], 1) < 0)
		_exit(2);
	close(sv[1]);
	return sv[0];
}

static void begin(void)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		_exit(2);
	supervisor = fcntl(sv[0], F_DUPFD_CLOEXEC, 10);
	if (dup2(sv[1], PART_SOCK) < 0)
		_exit(2);
	link_start();
}

/* Its exit status; 99 when it goes on. */
static int run(void (*life)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		alarm(20);
		begin();
		life();
		_exit(99);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- tests ----------------------------------------------------------------- */

static void *answer(void *arg)
{
	struct msg_entries list = { .head.type = MSG_ENTRIES_IS,
				    .nr = 1,
				    .entries = { { .veid = 7, .state = 1 } } };
	struct msg_state before = { .head.type = MSG_STATE,
				    .entry = { .veid = 7, .state = 0 } };
	struct msg_state behind = { .head.type = MSG_STATE,
				    .entry = { .veid = 7, .state = 2 } };
	int priv = give_line(LINK_PRIV);
	struct msg q;

	if (msg_recv(priv, &q) < 0 || q.m.head.type != MSG_LIST)
		_exit(2);
	list.head.id = q.m.head.id;
	msg_send(priv, &before, NULL, 0);
	msg_send(priv, &list, NULL, 0);
	msg_send(priv, &behind, NULL, 0);
	pause();
	return NULL;
}

static void ask_for_a_list(void)
{
	struct msg_ve m = { .head.type = MSG_LIST };
	struct msg reply;
	pthread_t t;

	pthread_create(&t, NULL, answer, NULL);
	if (ask(&m, &reply, NULL) < 0)
		_exit(3);
	/* by now it is written down, whatever its asker does with it */
	if (nheard < 2)
		_exit(4);
	while (nheard < 3)
		usleep(1000);
	for (uint32_t i = 0; i < 3; i++)
		if (heard[i].veid != 7 || heard[i].state != i)
			_exit(5);
	_exit(0);
}

static void a_list_is_heard_in_its_turn(void **state)
{
	assert_int_equal(run(ask_for_a_list), 0);
}

/* Time for a look at what the clock says by then. */
static void later(int64_t ms)
{
	now += ms;
	usleep(1500000);
}

static void both_lines(void)
{
	give_line(LINK_PRIV);
	give_line(LINK_TERM);
	later(0);
	later(40000);
}

static void term_lost(void)
{
	give_line(LINK_PRIV);
	close(give_line(LINK_TERM));
	later(0);
	now += 40000;
	pause();
}

static void term_came_back(void)
{
	give_line(LINK_PRIV);
	close(give_line(LINK_TERM));
	later(20000);
	give_line(LINK_TERM);
	later(20000);
}

static void without_a_line_api_ends(void **state)
{
	assert_int_equal(run(both_lines), 99);
	assert_int_equal(run(term_lost), 1);
	assert_int_equal(run(term_came_back), 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_heard_in_its_turn),
		cmocka_unit_test(without_a_line_api_ends),
	};

	return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
