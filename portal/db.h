/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_DB_H
#define VE_PORTAL_DB_H

/*
 * One connection to PostgreSQL, for one thread.  The database's API is its
 * functions; each returns one JSON value.  db_<noun>.c has a C function for each
 * SQL function, with the same name; nothing else calls db_call().
 */
#include <stdint.h>

#include "agent/libve/err.h"

struct db;
struct json_object;

/* A handle that connects at its first use.  @conninfo is borrowed. */
struct db *db_create(const char *conninfo, const char *name);
void db_destroy(struct db *db);

/*
 * What this handle calls is called again and again, and nobody looks at what
 * went wrong: any failure of a function is logged, those of class VE too, when
 * it begins and not each time.
 */
void db_repeats(struct db *db);

/*
 * Call ve.<fn>() with arguments as @types says, a letter each:
 *   h  const uint8_t *, 32 bytes       t  const char *, NULL is null
 *   i  int32_t                         l  int64_t
 *   z  int64_t, negative is null
 * 0 and the value in @out (NULL for SQL's null; @out may be NULL).  Negative: a
 * fault's code with the database's words, FAULT_AWAY when it is not there.
 * Serialization failures are tried again here and nowhere else.
 */
int db_call(struct db *db, struct json_object **out, struct err *e,
	    const char *fn, const char *types, ...);

/*
 * LISTEN on @channel (borrowed), on this connection and on each that comes after it.
 * 0, or FAULT_AWAY.
 */
int db_listen(struct db *db, const char *channel, struct err *e);

/*
 * Wait up to @ms for notifications and give each payload to @cb.  0; FAULT_AWAY
 * when the connection is lost (listen again).
 */
int db_wait(struct db *db, int ms, void (*cb)(void *arg, const char *payload),
	    void *arg, struct err *e);

/* Which connection this is, counted: what was notified between two is not heard. */
unsigned db_life(const struct db *db);

/* Whether the server answers right now; brings no connection up. */
int db_ping(struct db *db, struct err *e);

/*
 * Try the session's advisory lock on @name: 1 held, 0 somebody else has it,
 * negative FAULT_AWAY.  Held, it lasts as long as the connection, which is not
 * made anew behind the holder's back: the first call after its loss fails.
 */
int db_lock(struct db *db, const char *name, struct err *e);

#endif
