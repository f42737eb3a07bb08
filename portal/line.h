/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_LINE_H
#define VE_PORTAL_LINE_H

/*
 * The line of those who wait for a place, as server-sent events: each open page
 * has a seat, whose connection is held and hears of a change when the database
 * tells of one.  One thread looks at the line, once for all seats, however many
 * changes there were.
 */
#include <stdint.h>

struct line;
struct line_seat;
struct MHD_Connection;
struct MHD_Response;

/* Start the thread, with a database connection of its own. */
struct line *line_start(const char *conninfo);

/* A seat for a person, or NULL when there is none left, at all or for them. */
struct line_seat *line_join(struct line *l, int64_t session, int64_t person);

/* What they see first: @place is JSON.  Nothing when they heard something newer
 * by now. */
void line_greet(struct line_seat *s, const char *place);

/* The answer that goes on until the visitor or the session is gone; the seat is
 * given up with it. */
struct MHD_Response *line_response(struct line_seat *s,
				   struct MHD_Connection *conn);

/* Give up a seat that got no answer; NULL is fine. */
void line_leave(struct line_seat *s);

/* One event as text, ended by an empty line; @name NULL: a comment that keeps
 * the connection alive.  The caller frees it. */
char *line_event(const char *name, const char *data);

#endif
