// SPDX-License-Identifier: Apache-2.0
#include "agent/db.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/libve/clean.h"
#include "agent/libve/fail.h"
#include "agent/libve/log.h"
#include "agent/libve/mono.h"

/* Forward only: entry n brings version n to n + 1. */
static const char *const migrations[] = {
	"CREATE TABLE ve ("
	" veid INTEGER PRIMARY KEY, template TEXT NOT NULL,"
	" hostname TEXT NOT NULL, want INTEGER NOT NULL,"
	" generation INTEGER NOT NULL, memory INTEGER NOT NULL,"
	" processes INTEGER NOT NULL, cpu_weight INTEGER NOT NULL,"
	" disk INTEGER NOT NULL, ipv6 TEXT, slot INTEGER NOT NULL UNIQUE,"
	" suspended INTEGER NOT NULL, halted INTEGER NOT NULL,"
	" state INTEGER NOT NULL, rev INTEGER NOT NULL,"
	" observed INTEGER NOT NULL, since INTEGER NOT NULL,"
	" exit_status INTEGER NOT NULL, error TEXT, active INTEGER NOT NULL,"
	" terminals INTEGER NOT NULL) STRICT;"
	"CREATE TABLE op ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, veid INTEGER NOT NULL,"
	" kind TEXT NOT NULL, state INTEGER NOT NULL, stage TEXT NOT NULL,"
	" created INTEGER NOT NULL, finished INTEGER NOT NULL,"
	" problem TEXT, detail TEXT) STRICT;"
	"CREATE UNIQUE INDEX op_one_live_idx ON op (veid) WHERE state < 2;"
	"CREATE TABLE key ("
	" key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL,"
	" op INTEGER NOT NULL, created INTEGER NOT NULL) STRICT;"
	"CREATE TABLE event ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,"
	" data TEXT NOT NULL) STRICT;"
	"CREATE TABLE block ("
	" id TEXT PRIMARY KEY, range TEXT NOT NULL, term_ms INTEGER NOT NULL,"
	" nonce TEXT NOT NULL, nonce_at INTEGER NOT NULL,"
	" valid_until INTEGER NOT NULL, cursor INTEGER NOT NULL) STRICT;"
	"CREATE TABLE address ("
	" address TEXT PRIMARY KEY, epoch INTEGER NOT NULL,"
	" free_at INTEGER NOT NULL) STRICT;"
	"CREATE TABLE lease ("
	" address TEXT PRIMARY KEY, block TEXT NOT NULL,"
	" veid INTEGER NOT NULL UNIQUE, epoch INTEGER NOT NULL,"
	" since INTEGER NOT NULL, installed INTEGER NOT NULL) STRICT;"
	"CREATE TABLE released ("
	" epoch INTEGER PRIMARY KEY, block TEXT NOT NULL,"
	" address TEXT NOT NULL, veid INTEGER NOT NULL,"
	" since INTEGER NOT NULL, until INTEGER NOT NULL,"
	" told INTEGER NOT NULL) STRICT;"
	"CREATE TABLE nonce ("
	" nonce TEXT PRIMARY KEY, exp INTEGER NOT NULL) STRICT;"
	"CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;",
	"ALTER TABLE ve ADD COLUMN idle_after INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE ve ADD COLUMN stop_after INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE ve ADD COLUMN warn INTEGER NOT NULL DEFAULT 120;",
	"ALTER TABLE ve ADD COLUMN egress INTEGER NOT NULL DEFAULT 1;",
	"ALTER TABLE ve ADD COLUMN beans TEXT;"
	"ALTER TABLE ve ADD COLUMN cpu_cap INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE ve ADD COLUMN cpus INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE ve ADD COLUMN io_weight INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE ve ADD COLUMN flow_rate INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE ve ADD COLUMN flow_burst INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE ve ADD COLUMN up_rate INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE ve ADD COLUMN up_ceil INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE ve ADD COLUMN down_rate INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE ve ADD COLUMN down_ceil INTEGER NOT NULL DEFAULT 0;",
	"CREATE INDEX ve_waiting_idx ON ve (state, since, veid);"
	"CREATE INDEX address_free_idx ON address (free_at);",
	/* each address of a block has a row: what is free is found at once */
	"ALTER TABLE address ADD COLUMN block TEXT;"
	"ALTER TABLE address ADD COLUMN n INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE address ADD COLUMN lent INTEGER NOT NULL DEFAULT 0;"
	"UPDATE address SET lent = 1"
	" WHERE address IN (SELECT address FROM lease);"
	"CREATE INDEX address_pick_idx ON address (block, lent, free_at, n);"
	"CREATE INDEX lease_block_idx ON lease (block);"
	"CREATE INDEX lease_todo_idx ON lease (installed) WHERE installed <> 1;"
	"CREATE TABLE line ("
	" n INTEGER PRIMARY KEY AUTOINCREMENT, veid INTEGER NOT NULL UNIQUE)"
	" STRICT;"
	"INSERT INTO line (veid) SELECT veid FROM ve WHERE state = 2"
	" AND veid NOT IN (SELECT veid FROM lease) ORDER BY since, veid;",
	"ALTER TABLE ve ADD COLUMN archive_after INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE ve ADD COLUMN lease_max INTEGER NOT NULL DEFAULT 0;"
	/* of CLOCK_BOOTTIME: leases end with the boot */
	"ALTER TABLE lease ADD COLUMN began INTEGER NOT NULL DEFAULT 0;",
	/* networks take turns in the line for an address */
	"ALTER TABLE ve ADD COLUMN network TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE line ADD COLUMN network TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE line ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE line ADD COLUMN since INTEGER NOT NULL DEFAULT 0;"
	"UPDATE line SET network = 've ' || veid;"
	"CREATE INDEX line_turn_idx ON line (turn);"
	"CREATE INDEX line_network_idx ON line (network, turn);"
	"CREATE TABLE turn ("
	" network TEXT PRIMARY KEY, served INTEGER NOT NULL) STRICT;"
	"CREATE INDEX turn_served_idx ON turn (served);"
	"CREATE TABLE pace ("
	" one INTEGER PRIMARY KEY CHECK (one = 1), ms INTEGER NOT NULL,"
	" at INTEGER NOT NULL) STRICT;",
	"ALTER TABLE ve ADD COLUMN busy INTEGER NOT NULL DEFAULT 20;",
};

#define VERSION ((int)(sizeof(migrations) / sizeof(migrations[0])))

static int migrate(sqlite3 *db, struct err *e)
{
	int64_t have = db_int(db, 0, "PRAGMA user_version", "");

	if (have > VERSION)
		return err_set(e, -EINVAL,
			       "the data base was written by a"
			       " newer agent (version %d)",
			       (int)have);
	for (int64_t v = have; v < VERSION; v++) {
		char done[64];

		snprintf(done, sizeof(done), "PRAGMA user_version = %d",
			 (int)v + 1);
		if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) ||
		    sqlite3_exec(db, migrations[v], NULL, NULL, NULL) ||
		    sqlite3_exec(db, done, NULL, NULL, NULL) ||
		    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL))
			return err_set(e, -EIO, "migration %d: %s", (int)v,
				       sqlite3_errmsg(db));
	}
	return 0;
}

/* ---- the disk -------------------------------------------------------------- */

/*
 * A commit writes to the log and does not wait for the disk: SQLite itself syncs
 * the log before it copies from it.  db_sync() waits, once for all that were
 * written since.
 */
static int wal = -1;
static atomic_uint_fast64_t written, durable; /* commits */
static pthread_mutex_t disk_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t disk_done = PTHREAD_COND_INITIALIZER;
static bool syncing;

#define CHECKPOINT 1000 /* pages in the log */

static int on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
	written++;
	if (pages >= CHECKPOINT)
		sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE,
					  NULL, NULL);
	return SQLITE_OK;
}

uint64_t db_written(void)
{
	return written;
}

bool db_is_durable(uint64_t mark)
{
	return wal < 0 || durable >= mark;
}

void db_sync(void)
{
	uint64_t want = written;

	if (wal < 0)
		return;
	pthread_mutex_lock(&disk_lock);
	while (durable < want) {
		uint64_t now = written;

		if (syncing) {
			pthread_cond_wait(&disk_done, &disk_lock);
			continue;
		}
		syncing = true;
		pthread_mutex_unlock(&disk_lock);
		fail_point("disk");
		/* nobody was told yet; what is there the next life will see */
		if (fdatasync(wal) < 0)
			fatal("the state cannot be kept: %s", strerror(errno));
		pthread_mutex_lock(&disk_lock);
		syncing = false;
		durable = now;
		pthread_cond_broadcast(&disk_done);
	}
	pthread_mutex_unlock(&disk_lock);
}

sqlite3 *db_open(const char *path, struct err *e)
{
	char *log _free_ = xasprintf("%s-wal", path);
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(path, &db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
				    SQLITE_OPEN_NOMUTEX,
			    NULL) ||
	    sqlite3_exec(db,
			 "PRAGMA locking_mode = EXCLUSIVE;"
			 "PRAGMA journal_mode = WAL;"
			 "PRAGMA synchronous = NORMAL;"
			 "PRAGMA temp_store = MEMORY",
			 NULL, NULL, NULL)) {
		err_set(e, -EIO, "data base %s: %s", path, sqlite3_errmsg(db));
		sqlite3_close(db);
		return NULL;
	}
	sqlite3_wal_hook(db, on_commit, NULL);
	if (migrate(db, e) < 0) {
		db_close(db);
		return NULL;
	}
	/* the first commit made it, and it stays as long as we have the lock */
	db_do(db, "INSERT OR REPLACE INTO fact VALUES ('opened', ?)", "t",
	      path);
	wal = open(log, O_RDWR | O_CLOEXEC);
	return db;
}

/* ---- statements ------------------------------------------------------------ */

/* Compiled ones are kept: to compile one takes longer than to run it.  A few that
 * fall on one place stand beside each other, and the one that was asked for last
 * stays longest. */
#define PLACES 64
#define BESIDE 8

static struct kept {
	sqlite3_stmt *st;
	sqlite3 *db;
	uint64_t asked;
	bool used;
} kept[PLACES][BESIDE];

/* By its length and some of its letters: those of the longest are a thousand. */
static struct kept *place_of(const char *sql)
{
	size_t n = strlen(sql);
	uint32_t h = (uint32_t)n;

	for (size_t i = 0; i < n; i += 1 + n / 16)
		h = (h ^ (uint8_t)sql[i]) * 16777619u;
	return kept[(h >> 16 ^ h) % PLACES];
}

static bool is_it(const struct kept *k, sqlite3 *db, const char *sql)
{
	return k->st && k->db == db && !strcmp(sqlite3_sql(k->st), sql);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	static uint64_t asked;
	struct kept *place = place_of(sql), *oldest = NULL;
	sqlite3_stmt *st;

	asked++;
	for (struct kept *k = place; k < place + BESIDE; k++) {
		if (k->used)
			continue;
		if (is_it(k, db, sql)) {
			k->used = true;
			k->asked = asked;
			return k->st;
		}
		if (!oldest || k->asked < oldest->asked)
			oldest = k;
	}
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK) {
		log_err("SQL: %s in: %s", sqlite3_errmsg(db), sql);
		abort();
	}
	if (oldest) {
		sqlite3_finalize(oldest->st);
		*oldest = (struct kept){ st, db, asked, true };
	}
	return st;
}

void db_release(sqlite3_stmt *st)
{
	struct kept *place;

	if (!st)
		return;
	place = place_of(sqlite3_sql(st));
	for (struct kept *k = place; k < place + BESIDE; k++) {
		if (k->st != st)
			continue;
		sqlite3_reset(st);
		k->used = false;
		return;
	}
	sqlite3_finalize(st);
}

void db_close(sqlite3 *db)
{
	for (size_t i = 0; i < PLACES; i++)
		for (size_t n = 0; n < BESIDE; n++) {
			struct kept *k = &kept[i][n];

			if (k->db != db)
				continue;
			sqlite3_finalize(k->st);
			*k = (struct kept){ 0 };
		}
	sqlite3_close(db);
	clean_close(&wal);
	wal = -1;
}

static sqlite3_stmt *bind(sqlite3 *db, const char *sql, const char *types,
			  va_list ap)
{
	sqlite3_stmt *st = prepare(db, sql);

	for (int i = 0; types[i]; i++) {
		if (types[i] == 'i')
			sqlite3_bind_int64(st, i + 1, va_arg(ap, int64_t));
		else
			sqlite3_bind_text(st, i + 1, va_arg(ap, const char *),
					  -1, SQLITE_TRANSIENT);
	}
	return st;
}

sqlite3_stmt *db_query(sqlite3 *db, const char *sql, const char *types, ...)
{
	sqlite3_stmt *st;
	va_list ap;

	va_start(ap, types);
	st = bind(db, sql, types, ap);
	va_end(ap);
	return st;
}

bool db_step(sqlite3_stmt *st)
{
	int r = sqlite3_step(st);

	if (r == SQLITE_ROW)
		return true;
	if (r != SQLITE_DONE)
		log_err("data base: %s", sqlite3_errmsg(sqlite3_db_handle(st)));
	return false;
}

int db_do(sqlite3 *db, const char *sql, const char *types, ...)
{
	sqlite3_stmt *st;
	va_list ap;
	int r;

	va_start(ap, types);
	st = bind(db, sql, types, ap);
	va_end(ap);
	do {
		r = sqlite3_step(st);
	} while (r == SQLITE_ROW);
	if (r != SQLITE_DONE && r != SQLITE_CONSTRAINT)
		log_err("data base: %s", sqlite3_errmsg(db));
	db_release(st);
	switch (r) {
	case SQLITE_DONE:
		return sqlite3_changes(db);
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_FULL:
		return -ENOSPC;
	default:
		return -EIO;
	}
}

void db_begin(sqlite3 *db)
{
	db_do(db, "SAVEPOINT step", "");
}

void db_rollback(sqlite3 *db)
{
	/* on a full disk SQLite may have done so already */
	if (sqlite3_get_autocommit(db))
		return;
	sqlite3_exec(db, "ROLLBACK TO step; RELEASE step", NULL, NULL, NULL);
}

int db_commit(sqlite3 *db)
{
	int r = sqlite3_get_autocommit(db) ? -EIO
					   : db_do(db, "RELEASE step", "");

	if (r < 0)
		db_rollback(db);
	return r < 0 ? r : 0;
}

int64_t db_int(sqlite3 *db, int64_t none, const char *sql, const char *types,
	       ...)
{
	sqlite3_stmt *st;
	va_list ap;

	va_start(ap, types);
	st = bind(db, sql, types, ap);
	va_end(ap);
	if (db_step(st) && sqlite3_column_type(st, 0) != SQLITE_NULL)
		none = sqlite3_column_int64(st, 0);
	db_release(st);
	return none;
}

void db_text(sqlite3_stmt *st, int column, char *out, size_t size)
{
	const char *s = (const char *)sqlite3_column_text(st, column);
	size_t n = s ? strnlen(s, size - 1) : 0;

	if (n)
		memcpy(out, s, n);
	out[n] = '\0';
}

/* ---- lock and clocks ----------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
#define FEW 64
static pthread_cond_t changed_ve[FEW]; /* by veid: not everybody for each */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_changed(void)
{
	for (unsigned i = 0; i < FEW; i++)
		mono_cond_init(&changed_ve[i]);
}

void state_lock(void)
{
	pthread_once(&once, init_changed);
	pthread_mutex_lock(&lock);
}

void state_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void state_changed_ve(uint32_t veid)
{
	pthread_once(&once, init_changed);
	pthread_cond_broadcast(&changed_ve[veid % FEW]);
}

bool state_wait_on(pthread_cond_t *cond, int64_t deadline)
{
	struct timespec t = { .tv_sec = deadline / 1000,
			      .tv_nsec = deadline % 1000 * 1000000 };

	return pthread_cond_timedwait(cond, &lock, &t) == 0;
}

bool state_wait_ve(uint32_t veid, int64_t deadline)
{
	return state_wait_on(&changed_ve[veid % FEW], deadline);
}

static int64_t clock_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_mono(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

int64_t clock_boot(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

int64_t clock_wall(void)
{
	return clock_ms(CLOCK_REALTIME);
}

const char *time_text(char out[static TIME_TEXT], int64_t wall_ms)
{
	time_t s = wall_ms / 1000;
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(out, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + strlen(out), 6, ".%03uZ", (unsigned)(wall_ms % 1000));
	return out;
}
