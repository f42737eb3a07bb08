// SPDX-License-Identifier: Apache-2.0
#include "agent/event.h"

#include <inttypes.h>

#include "agent/api.h"
#include "agent/db.h"

#define CHUNK 65536

void event_put(sqlite3 *db, const char *kind, const char *data)
{
	db_do(db, "INSERT INTO event (kind, data) VALUES (?, ?)", "tt", kind,
	      data);
	http_wake(TOPIC_EVENT);
}

int64_t event_last(sqlite3 *db)
{
	return db_int(db, 0,
		      "SELECT seq FROM sqlite_sequence"
		      " WHERE name = 'event'",
		      "");
}

int64_t event_read(sqlite3 *db, int64_t after, struct buf *out)
{
	sqlite3_stmt *st _stmt_ =
		db_query(db,
			 "SELECT id, kind, data FROM event WHERE id > ?"
			 " ORDER BY id LIMIT 500",
			 "i", after);
	int64_t last = event_last(db);

	if (after > last ||
	    db_int(db, last + 1, "SELECT min(id) FROM event", "") > after + 1) {
		/* what it has seen is not ours, or ours is gone */
		if (after > last || last > after) {
			buf_printf(out,
				   "id: %" PRId64 "\nevent: resync\n"
				   "data: {}\n\n",
				   last);
			return last;
		}
	}
	while (out->len < CHUNK && db_step(st)) {
		after = sqlite3_column_int64(st, 0);
		buf_printf(out, "id: %" PRId64 "\nevent: %s\ndata: %s\n\n",
			   after, (const char *)sqlite3_column_text(st, 1),
			   (const char *)sqlite3_column_text(st, 2));
	}
	return after;
}

void event_trim(sqlite3 *db)
{
	db_do(db, "DELETE FROM event WHERE id <= ?", "i",
	      event_last(db) - EVENT_KEPT);
}
