// SPDX-License-Identifier: Apache-2.0
/*
 * Two connections at once, in steps, as PostgreSQL's isolation tester would:
 *
 *   a: begin, act            b: begin, act -> waits
 *   a: commit or roll back   b: what becomes of it
 *
 * race CONNINFO runs all and prints TAP.  The database is a test's own: it has
 * the schema, node n1 with one place and a pool of one block.
 */
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libpq-fe.h>

static const char *conninfo;
static PGconn *a, *b;
static int count, failed;

static void ok(bool yes, const char *what)
{
	printf("%sok %d - %s\n", yes ? "" : "not ", ++count, what);
	failed += !yes;
}

static PGconn *open_one(void)
{
	PGconn *c = PQconnectdb(conninfo);

	if (PQstatus(c) != CONNECTION_OK) {
		fprintf(stderr, "%s", PQerrorMessage(c));
		exit(1);
	}
	PQclear(PQexec(c, "set search_path = ve, ext"));
	return c;
}

/* Run on one connection; the SQLSTATE, "00000" when it went well.  The first
 * value goes to @value. */
static const char *state_of(PGresult *r, char *value, size_t size)
{
	static char state[6];
	const char *s = PQresultErrorField(r, PG_DIAG_SQLSTATE);

	snprintf(state, sizeof(state), "%s", s ? s : "00000");
	if (value)
		snprintf(value, size, "%s",
			 PQntuples(r) ? PQgetvalue(r, 0, 0) : "");
	PQclear(r);
	return state;
}

static const char *run(PGconn *c, const char *sql, char *value, size_t size)
{
	return state_of(PQexec(c, sql), value, size);
}

/* Whether b's query is still waiting for a lock, as the server sees it. */
static bool is_waiting(void)
{
	char sql[160], value[8];
	time_t deadline = time(NULL) + 10;

	snprintf(sql, sizeof(sql),
		 "select count(*) from pg_locks where not granted and pid = %d",
		 PQbackendPID(b));
	do {
		run(a, sql, value, sizeof(value));
		if (*value != '0')
			return true;
		PQconsumeInput(b);
	} while (PQisBusy(b) && time(NULL) < deadline);
	return false;
}

static const char *finish(char *value, size_t size)
{
	PGresult *r = PQgetResult(b), *next;

	while ((next = PQgetResult(b)))
		PQclear(next);
	return state_of(r, value, size);
}

#define SIGNUP(who)                                                            \
	"select account_signup('" who "@example.net', '$argon2id$x', 'tiny', " \
	"'192.0.2.1', sha256('" who "'))"

/* The last place of a node goes to one of two. */
static void race_place(const char *end, const char *wanted, const char *what)
{
	run(a, "begin", NULL, 0);
	ok(!strcmp(run(a, SIGNUP("ann"), NULL, 0), "00000"),
	   "ann takes the last place");
	PQsendQuery(b, SIGNUP("bob"));
	ok(is_waiting(), "bob waits for what becomes of it");
	run(a, end, NULL, 0);
	ok(!strcmp(finish(NULL, 0), wanted), what);
}

/* One address, two VEs, at the same time. */
static void race_lease(const char *end, const char *wanted, const char *what)
{
	static const char lease[] =
		"insert into lease (address, veid, node_id, block_id, epoch, during)"
		" select '10.77.0.1', %d, 'n1', max(id), %d,"
		" tstzrange('2026-01-01', null) from block";
	char sql[256];

	run(a, "begin", NULL, 0);
	snprintf(sql, sizeof(sql), lease, 1000, 1);
	ok(!strcmp(run(a, sql, NULL, 0), "00000"), "one VE gets the address");
	snprintf(sql, sizeof(sql), lease, 1001, 2);
	PQsendQuery(b, sql);
	ok(is_waiting(), "the other waits");
	run(a, end, NULL, 0);
	ok(!strcmp(finish(NULL, 0), wanted), what);
}

/* A pool of one block, two nodes. */
static void race_block(void)
{
	char one[32], two[32];

	run(a, "begin", NULL, 0);
	run(a, "select jsonb_array_length(block_sync('n1'))", one, sizeof(one));
	PQsendQuery(b, "select jsonb_array_length(block_sync('n2'))");
	ok(is_waiting(), "a second node waits for the pool");
	run(a, "commit", NULL, 0);
	ok(!strcmp(finish(two, sizeof(two)), "00000"), "and goes on");
	ok(!strcmp(one, "1") && !strcmp(two, "0"),
	   "one node has the block, the other none");
}

/* One job, two daemons: nobody waits, nobody has it twice. */
static void race_job(void)
{
	char one[512], two[512];

	run(a, "begin", NULL, 0);
	run(a, "select job_claim('n1', 30)", one, sizeof(one));
	run(b, "select job_claim('n1', 30)", two, sizeof(two));
	run(a, "commit", NULL, 0);
	ok(*one && !*two, "a job is claimed by one, the other passes by");
}

/* The same sum over many at once: 8 threads, 40 people, 25 places. */
static void *sign_up_many(void *arg)
{
	PGconn *c = open_one();
	long thread = (long)arg;
	long got = 0;

	for (int i = 0; i < 5; i++) {
		char sql[256];

		snprintf(
			sql, sizeof(sql),
			"select account_signup('p%ld-%d@example.net', "
			"'$argon2id$x', 'tiny', '192.0.2.1', sha256('%ld-%d'))",
			thread, i, thread, i);
		got += !strcmp(state_of(PQexec(c, sql), NULL, 0), "00000");
	}
	PQfinish(c);
	return (void *)got;
}

static void *serve_many(void *arg)
{
	PGconn *c = open_one();

	for (int i = 0; i < 20; i++)
		PQclear(PQexec(c, "select queue_run()"));
	PQfinish(c);
	return NULL;
}

/* 15 wait, 7 places become free, 4 daemons serve the line at once. */
static void race_queue(void)
{
	pthread_t t[4];
	char value[32];

	run(a, "select count(*) from queue", value, sizeof(value));
	ok(!strcmp(value, "15"), "the other 15 are in the line");
	run(a, "update node set capacity = placed + 7 where id = 'n1'", NULL,
	    0);
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, serve_many, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	run(a,
	    "select count(*) = 32 and count(*) = count(distinct subscriber_id)"
	    " from ve v join subscriber s on s.id = v.subscriber_id"
	    " where s.email like 'p%'",
	    value, sizeof(value));
	ok(!strcmp(value, "t"), "7 of them get the 7 places, one each");
	run(a, "select count(*) from queue", value, sizeof(value));
	ok(!strcmp(value, "8"), "and 8 wait on");
}

/* One person, two requests: the first finds no place, then one becomes free. */
static void race_person(const char *end, const char *wanted, const char *what)
{
	static const char create[] =
		"select ve_create(sha256('bob'), 'tiny', '192.0.2.1')";

	run(a, "delete from queue", NULL, 0);
	run(a, "update node set capacity = placed", NULL, 0);
	run(a, "begin", NULL, 0);
	ok(!strcmp(run(a, create, NULL, 0), "00000"), "bob gets into the line");
	run(b, "update node set capacity = placed + 1 where id = 'n1'", NULL,
	    0);
	PQsendQuery(b, create);
	ok(is_waiting(), "his second request waits for the first");
	run(a, end, NULL, 0);
	ok(!strcmp(finish(NULL, 0), wanted), what);
}

#define OF(who)                                                                 \
	" where subscriber_id = (select id from subscriber where email = '" who \
	"@example.net')"
#define ME(who) " where email = '" who "@example.net'"

/* These wait in a line of their own, for so many places. */
static void line_of(int places, const char *first, const char *second)
{
	char sql[96];

	run(a, "delete from queue", NULL, 0);
	run(a, "update node set capacity = placed", NULL, 0);
	run(a, first, NULL, 0);
	run(a, second, NULL, 0);
	snprintf(sql, sizeof(sql),
		 "update node set capacity = placed + %d where id = 'n1'",
		 places);
	run(a, sql, NULL, 0);
}

/* a does one thing and b another; the word b's statement ends with. */
static const char *one_by_one(const char *first, const char *second,
			      const char *what, char *value, size_t size)
{
	run(a, "begin", NULL, 0);
	ok(!strcmp(run(a, first, NULL, 0), "00000"), what);
	PQsendQuery(b, second);
	ok(is_waiting(), "the other waits");
	run(a, "commit", NULL, 0);
	return finish(value, size);
}

#define SUSPEND \
	"update subscriber set suspended_at = now(), suspended_why = 'x'"
#define CONFIRM "update subscriber set confirmed_at = now()"

/* Suspended between the question and the place: no VE. */
static void race_suspension(void)
{
	char value[32];

	line_of(1, SIGNUP("cat"), "");
	one_by_one(SUSPEND ME("cat"), "select queue_run()",
		   "who is the first in the line is suspended", value,
		   sizeof(value));
	ok(!strcmp(value, "0"), "and is passed over");
	run(a, "select count(*) from queue" OF("cat"), value, sizeof(value));
	ok(!strcmp(value, "1"), "but stays in the line");

	line_of(1, SIGNUP("dan"), "delete from queue");
	ok(!strcmp(one_by_one(
			   SUSPEND ME("dan"),
			   "select ve_create(sha256('dan'), 'tiny', '192.0.2.1')",
			   "who asks for a VE is suspended", NULL, 0),
		   "VE007"),
	   "and gets none");
	run(a, "select count(*) from ve" OF("dan"), value, sizeof(value));
	ok(!strcmp(value, "0"), "nor is there one");
}

/* Confirmed while the VE is made: it has the plan of confirmed people. */
static void race_confirm(void)
{
	char value[32];

	line_of(1, SIGNUP("eve"), "");
	one_by_one(CONFIRM ME("eve"), "select queue_run()",
		   "who is the first in the line confirms", value,
		   sizeof(value));
	run(a, "select plan from ve" OF("eve"), value, sizeof(value));
	ok(!strcmp(value, "confirmed"), "and is served as confirmed");

	line_of(1, SIGNUP("fay"),
		"insert into confirmation select sha256('link'), id from subscriber" ME(
			"fay"));
	ok(!strcmp(one_by_one("select queue_run()",
			      "select account_confirm(sha256('link'))",
			      "who is served at the moment", NULL, 0),
		   "00000"),
	   "confirms");
	run(a, "select plan from ve" OF("fay"), value, sizeof(value));
	ok(!strcmp(value, "confirmed"), "and the VE has more");
}

/* Nobody can be served: the line is left alone. */
static void race_full(void)
{
	char value[32];
	PGnotify *n;

	line_of(0, SIGNUP("gus"), SIGNUP("hal"));
	run(b, "listen ve_line", NULL, 0);
	run(a, "select queue_run()", value, sizeof(value));
	run(b, "unlisten ve_line", NULL, 0);
	n = PQnotifies(b);
	ok(!strcmp(value, "0") && !n, "a full house tells nobody of the line");
	PQfreemem(n);

	run(a, "begin", NULL, 0);
	run(a, "select queue_run()", NULL, 0);
	PQsendQuery(b, "select queue_leave(sha256('gus'))");
	ok(!is_waiting(), "meanwhile one leaves");
	run(a, "commit", NULL, 0);
	ok(!strcmp(finish(NULL, 0), "00000"), "and has left");
}

/* The log is the last that is waited for. */
static void race_log(void)
{
	char value[32];

	line_of(2, SIGNUP("ida"), SIGNUP("jim"));
	run(a, "begin", NULL, 0);
	run(a, "delete from queue" OF("jim"), NULL, 0);
	PQsendQuery(b, "select queue_run()");
	ok(is_waiting(), "who serves the line waits for one who leaves it");
	ok(!strcmp(run(a, "select audit_add('jim', 'queue.leave', null, null)",
		       NULL, 0),
		   "00000"),
	   "who does not wait for that one");
	run(a, "commit", NULL, 0);
	ok(!strcmp(finish(value, sizeof(value)), "00000") &&
		   !strcmp(value, "1"),
	   "the others are served");
}

static void race_many(void)
{
	pthread_t t[8];
	char value[32];
	void *one;

	run(a, "update node set capacity = placed + 25 where id = 'n1'", NULL,
	    0);
	for (long i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, sign_up_many, (void *)i);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], &one);
	run(a,
	    "select count(*) from ve v join subscriber s on "
	    "s.id = v.subscriber_id where s.email like 'p%'",
	    value, sizeof(value));
	ok(!strcmp(value, "25"), "25 places go to 25 of 40 who come at once");
	run(a, "select placed = capacity from node where id = 'n1'", value,
	    sizeof(value));
	ok(!strcmp(value, "t"), "and the node is full, not more");
	run(a, "select audit_verify() is null", value, sizeof(value));
	ok(!strcmp(value, "t"), "and the audit chain is whole");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	conninfo = argv[1];
	a = open_one();
	b = open_one();
	race_place("rollback", "00000", "ann gives up, and bob gets it");
	race_block();
	race_lease("rollback", "00000", "and gets it when the first gives up");
	run(a, "delete from lease", NULL, 0);
	race_lease("commit", "23P01", "and never gets it when not");
	race_job();
	race_many();
	race_queue();
	run(a,
	    "update ve set desired = 'deleted', deleted_at = now() from "
	    "subscriber s where s.id = subscriber_id and email like 'bob@%'",
	    NULL, 0);
	race_person("commit", "VE009", "and does not pass it by");
	race_person("rollback", "00000", "and is served when that is void");
	race_suspension();
	race_confirm();
	race_full();
	race_log();
	printf("1..%d\n", count);
	PQfinish(a);
	PQfinish(b);
	return failed != 0;
}
