// SPDX-License-Identifier: Apache-2.0
#include "portal/db.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>
#include <libpq-fe.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "portal/fault.h"

#define ARGS_MAX 8
#define KNOWN_MAX 128
#define TRIES 4

/* A function that was called. */
struct known {
	const char *fn;
	bool prepared; /* on this connection */
	char said[6]; /* SQLSTATE that was logged since it last went well */
};

struct db {
	const char *conninfo, *name;
	PGconn *pg;
	struct known known[KNOWN_MAX];
	size_t knowns;
	const char *channel; /* that is listened to, or NULL */
	unsigned life; /* which connection this is */
	bool pinned; /* holds a lock: a lost connection is an error */
	bool repeats; /* see db_repeats() */
};

struct args {
	int n;
	const char *values[ARGS_MAX];
	char room[ARGS_MAX][68];
};

static void clear_result(PGresult **r)
{
	PQclear(*r);
}
#define _result_ __attribute__((cleanup(clear_result)))

struct db *db_create(const char *conninfo, const char *name)
{
	struct db *db = xcalloc(1, sizeof(*db));

	db->conninfo = conninfo;
	db->name = name;
	return db;
}

void db_repeats(struct db *db)
{
	db->repeats = true;
}

void db_destroy(struct db *db)
{
	if (!db)
		return;
	PQfinish(db->pg);
	free(db);
}

static int away(struct db *db, struct err *e)
{
	const char *words = db->pg ? PQerrorMessage(db->pg) : "no connection";

	log_warn("database: %.*s", (int)strcspn(words, "\n"), words);
	return err_set(e, fault_code(FAULT_AWAY),
		       "the database does not answer; please try again");
}

/* Whether the server has hung up while nobody was looking. */
static bool is_stale(struct db *db)
{
	struct pollfd p = { .fd = PQsocket(db->pg), .events = POLLIN };

	if (PQstatus(db->pg) != CONNECTION_OK)
		return true;
	/* its last words come before the end of the stream */
	while (poll(&p, 1, 0) > 0 && PQconsumeInput(db->pg))
		;
	return PQstatus(db->pg) != CONNECTION_OK;
}

static int listen_on(struct db *db, struct err *e)
{
	_result_ PGresult *r = NULL;
	char sql[80];

	snprintf(sql, sizeof(sql), "listen %s", db->channel);
	r = PQexec(db->pg, sql);
	return PQresultStatus(r) == PGRES_COMMAND_OK ? 0 : away(db, e);
}

/* A warning of a function: not of a call that failed. */
static void on_notice(void *arg, const char *words)
{
	log_warn("database: %.*s", (int)strcspn(words, "\n"), words);
}

static int connected(struct db *db, struct err *e)
{
	const char *const keys[] = { "dbname", "application_name",
				     "connect_timeout", "options", NULL };
	const char *const values[] = {
		db->conninfo, db->name, "5",
		"-c statement_timeout=15s -c timezone=UTC "
		"-c client_min_messages=warning",
		NULL
	};

	if (db->pg && !is_stale(db))
		return 0;
	if (db->pinned) {
		db->pinned = false;
		return away(db, e);
	}
	PQfinish(db->pg);
	for (size_t i = 0; i < db->knowns; i++)
		db->known[i].prepared = false;
	db->pg = PQconnectdbParams(keys, values, 1);
	db->life++;
	if (PQstatus(db->pg) != CONNECTION_OK)
		return away(db, e);
	PQsetNoticeProcessor(db->pg, on_notice, NULL);
	return db->channel ? listen_on(db, e) : 0;
}

static void take_args(struct args *a, const char *types, va_list ap)
{
	for (; *types && a->n < ARGS_MAX; types++, a->n++) {
		char *room = a->room[a->n];
		const uint8_t *bytes;
		int64_t n;

		a->values[a->n] = room;
		switch (*types) {
		case 'h':
			bytes = va_arg(ap, const uint8_t *);
			strcpy(room, "\\x");
			for (int i = 0; i < 32; i++)
				sprintf(room + 2 + 2 * i, "%02x", bytes[i]);
			break;
		case 't':
			a->values[a->n] = va_arg(ap, const char *);
			break;
		case 'i':
			snprintf(room, 68, "%d", va_arg(ap, int32_t));
			break;
		default:
			n = va_arg(ap, int64_t);
			snprintf(room, 68, "%lld", (long long)n);
			if (*types == 'z' && n < 0)
				a->values[a->n] = NULL;
		}
	}
}

static struct known *know(struct db *db, const char *fn)
{
	for (size_t i = 0; i < db->knowns; i++)
		if (!strcmp(db->known[i].fn, fn))
			return &db->known[i];
	if (db->knowns == KNOWN_MAX)
		fatal("%s calls more than %d functions", db->name, KNOWN_MAX);
	db->known[db->knowns].fn = fn;
	return &db->known[db->knowns++];
}

/* Log a failure: where calls are made again and again, when it begins. */
static void complain(struct db *db, struct known *k, PGresult *r)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);

	if (!state || (db->repeats && !strcmp(k->said, state)))
		return;
	snprintf(k->said, sizeof(k->said), "%s", state);
	log_err("%s: %s %s", k->fn, state,
		PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY));
}

static int prepare(struct db *db, struct known *k, int n, struct err *e)
{
	_result_ PGresult *r = NULL;
	char sql[160];
	size_t at;

	if (k->prepared)
		return 0;
	at = (size_t)snprintf(sql, sizeof(sql), "select ve.%s(", k->fn);
	for (int i = 1; i <= n; i++)
		at += (size_t)snprintf(sql + at, sizeof(sql) - at, "%s$%d",
				       i > 1 ? "," : "", i);
	snprintf(sql + at, sizeof(sql) - at, ")");
	r = PQprepare(db->pg, k->fn, sql, n, NULL);
	if (PQresultStatus(r) != PGRES_COMMAND_OK) {
		if (PQstatus(db->pg) != CONNECTION_OK)
			return away(db, e);
		complain(db, k, r);
		return err_set(e, fault_code(FAULT_INTERNAL), "%s", k->fn);
	}
	k->prepared = true;
	return 0;
}

/* What a failed result means: FAULT_AWAY, a fault of class VE with its words, or
 * one of ours without. */
static int failure(struct db *db, struct known *k, PGresult *r, struct err *e)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *words = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	int code = fault_code_of_state(state);
	bool theirs, bad;

	if (PQstatus(db->pg) != CONNECTION_OK || !state ||
	    !strncmp(state, "57", 2))
		return away(db, e);
	theirs = !strncmp(state, "VE", 2);
	bad = !strcmp(state, "23514");
	if (db->repeats || (!theirs && !bad))
		complain(db, k, r);
	if (theirs)
		return err_set(e, code, "%s", words);
	return err_set(e, code,
		       bad ? "a value is not valid"
			   : "the request could not be carried out");
}

static bool is_worth_repeating(PGresult *r)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);

	return state && (!strcmp(state, "40001") || !strcmp(state, "40P01"));
}

static int take_value(PGresult *r, struct json_object **out)
{
	const char *text = PQntuples(r) ? PQgetvalue(r, 0, 0) : "";

	if (!out)
		return 0;
	*out = *text ? json_tokener_parse(text) : NULL;
	return 0;
}

int db_call(struct db *db, struct json_object **out, struct err *e,
	    const char *fn, const char *types, ...)
{
	struct known *k = know(db, fn);
	struct args a = { 0 };
	va_list ap;
	int rc;

	va_start(ap, types);
	take_args(&a, types, ap);
	va_end(ap);
	rc = connected(db, e);
	if (!rc)
		rc = prepare(db, k, a.n, e);
	if (rc)
		return rc;
	for (int tries = TRIES;; tries--) {
		_result_ PGresult *r = PQexecPrepared(db->pg, fn, a.n, a.values,
						      NULL, NULL, 0);

		if (PQresultStatus(r) == PGRES_TUPLES_OK) {
			k->said[0] = '\0';
			return take_value(r, out);
		}
		if (tries == 1 || !is_worth_repeating(r))
			return failure(db, k, r, e);
	}
}

int db_listen(struct db *db, const char *channel, struct err *e)
{
	int rc;

	db->channel = NULL;
	rc = connected(db, e);
	if (rc)
		return rc;
	db->channel = channel;
	return listen_on(db, e);
}

unsigned db_life(const struct db *db)
{
	return db->life;
}

int db_wait(struct db *db, int ms, void (*cb)(void *arg, const char *payload),
	    void *arg, struct err *e)
{
	struct pollfd p = { .fd = PQsocket(db->pg), .events = POLLIN };
	PGnotify *n;

	n = PQnotifies(db->pg);
	if (!n) {
		if (poll(&p, 1, ms) > 0)
			PQconsumeInput(db->pg);
		n = PQnotifies(db->pg);
	}
	for (; n; n = PQnotifies(db->pg)) {
		cb(arg, n->extra);
		PQfreemem(n);
	}
	return PQstatus(db->pg) == CONNECTION_OK ? 0 : away(db, e);
}

int db_ping(struct db *db, struct err *e)
{
	_result_ PGresult *r = PQexec(db->pg, "select 1");

	return PQresultStatus(r) == PGRES_TUPLES_OK ? 0 : away(db, e);
}

int db_lock(struct db *db, const char *name, struct err *e)
{
	static const char sql[] =
		"select pg_try_advisory_lock(hashtextextended($1, 7383142))";
	_result_ PGresult *r = NULL;
	int rc = connected(db, e);

	if (rc)
		return rc;
	r = PQexecParams(db->pg, sql, 1, NULL, &name, NULL, NULL, 0);
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		return away(db, e);
	db->pinned = *PQgetvalue(r, 0, 0) == 't';
	return db->pinned;
}
