/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_DB_H
#define VE_AGENT_DB_H

/*
 * The node's state in SQLite: one connection, guarded by one lock that every
 * user of the data base holds (state_lock).  A commit survives our death at
 * once, and a power cut after db_sync(): who tells anybody outside waits for
 * that, and many wait for one write of the disk.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/libve/err.h"

/* Open or create; brings an older schema up to date.  NULL with words. */
sqlite3 *db_open(const char *path, struct err *e);
void db_close(sqlite3 *db);

/* Wait until what was committed is on the disk; without the lock.  Ends the
 * process when the disk refuses. */
void db_sync(void);
/* The commits so far, and whether they are there. */
uint64_t db_written(void);
bool db_is_durable(uint64_t mark);

/*
 * Prepare @sql and bind values by @types: 'i' int64_t, 't' const char * (NULL
 * is NULL).  Step with db_step(), release with db_release() or _stmt_.
 * A programming error (SQL that does not compile) aborts.
 */
sqlite3_stmt *db_query(sqlite3 *db, const char *sql, const char *types, ...);

/* true: a row; false: the end, or an error that was logged. */
bool db_step(sqlite3_stmt *st);

void db_release(sqlite3_stmt *st);

static inline void db_done(sqlite3_stmt **st)
{
	db_release(*st);
}
#define _stmt_ __attribute__((cleanup(db_done)))

/* Run to the end.  Number of changed rows, or -ENOSPC, -EEXIST (a constraint),
 * -EIO; logged but for -EEXIST. */
int db_do(sqlite3 *db, const char *sql, const char *types, ...);

/*
 * What is done between takes effect as one; they nest.  db_commit() takes all of it back when it cannot be written: 0 or
 * -errno.
 */
void db_begin(sqlite3 *db);
int db_commit(sqlite3 *db);
void db_rollback(sqlite3 *db);

/* First column of the first row, or @none. */
int64_t db_int(sqlite3 *db, int64_t none, const char *sql, const char *types,
	       ...);

/* Copy a text column ("" for NULL), cut to @size. */
void db_text(sqlite3_stmt *st, int column, char *out, size_t size);

/* The lock around all this. */
void state_lock(void);
void state_unlock(void);
/* A VE's row or its operation changed; wait for that, or for a condition of one's
 * own (on CLOCK_MONOTONIC), until @deadline (ms of clock_mono): false when it
 * passed.  With the lock held. */
void state_changed_ve(uint32_t veid);
bool state_wait_ve(uint32_t veid, int64_t deadline);
bool state_wait_on(pthread_cond_t *cond, int64_t deadline);

int64_t clock_mono(void); /* ms */
int64_t clock_boot(void); /* ms, runs on while the node sleeps */
int64_t clock_wall(void); /* ms since 1970 */

/* "2026-11-24T05:36:43.123Z" */
#define TIME_TEXT 32
const char *time_text(char out[static TIME_TEXT], int64_t wall_ms);

#endif
