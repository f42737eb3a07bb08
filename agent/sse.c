// SPDX-License-Identifier: Apache-2.0
/* GET /v1/events: the journal as an event stream. */
#include "agent/handlers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/api.h"
#include "agent/db.h"
#include "agent/event.h"
#include "agent/libve/clean.h"

#define BEAT_MS 15000 /* a comment, so that both ends know the other lives */

struct follower {
	struct MHD_Connection *conn;
	struct buf pending;
	int64_t last; /* id of the last event sent */
	uint64_t mark; /* what must be on the disk before it is */
	int64_t beat; /* when something was sent at last */
};

static ssize_t read_more(void *arg, uint64_t pos, char *out, size_t max)
{
	struct follower *f = arg;
	int64_t now = clock_mono();
	uint64_t mark = http_mark();
	size_t n;

	if (!f->pending.len) {
		state_lock();
		f->last = event_read(api.db, f->last, &f->pending);
		f->mark = db_written();
		state_unlock();
	}
	if (f->pending.len && !db_is_durable(f->mark))
		return http_hold_reader(f->conn)
			       ? 0
			       : MHD_CONTENT_READER_END_WITH_ERROR;
	if (!f->pending.len && now - f->beat >= BEAT_MS)
		buf_puts(&f->pending, ":\n\n");
	if (!f->pending.len)
		return http_wait_reader(f->conn, TOPIC_EVENT, mark,
					f->beat + BEAT_MS)
			       ? 0
			       : MHD_CONTENT_READER_END_WITH_ERROR;
	f->beat = now;
	n = f->pending.len < max ? f->pending.len : max;
	memcpy(out, f->pending.data, n);
	buf_shift(&f->pending, n);
	return (ssize_t)n;
}

static void drop(void *arg)
{
	struct follower *f = arg;

	buf_free(&f->pending);
	free(f);
}

enum MHD_Result on_events(struct request *q)
{
	const char *last = http_header(q, "Last-Event-ID");
	struct MHD_Response *r;
	struct follower *f;
	enum MHD_Result ok;
	int64_t after;
	char *end;

	state_lock();
	after = event_last(api.db);
	state_unlock();
	if (last) {
		after = strtoll(last, &end, 10);
		if (*end || !*last || after < 0)
			return http_problem(q, 400, "malformed",
					    "Last-Event-ID is a number");
	}
	f = xcalloc(1, sizeof(*f));
	f->conn = q->conn;
	f->last = after;
	f->beat = clock_mono();
	buf_puts(&f->pending, "retry: 1000\n\n");
	r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384,
					      read_more, f, drop);
	if (!r) {
		drop(f);
		return MHD_NO;
	}
	MHD_add_response_header(r, "Content-Type", "text/event-stream");
	MHD_add_response_header(r, "Cache-Control", "no-store");
	ok = MHD_queue_response(q->conn, 200, r);
	MHD_destroy_response(r);
	return ok;
}
