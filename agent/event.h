/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_EVENT_H
#define VE_AGENT_EVENT_H

/* The journal behind GET /v1/events.  With the state lock held. */
#include <sqlite3.h>
#include <stdint.h>

#include "agent/libve/buf.h"

#define EVENT_KEPT 20000 /* older ones are dropped: "resync" */

/* Write one down and wake those who follow. */
void event_put(sqlite3 *db, const char *kind, const char *data);

/*
 * Append to @out, in the event stream's format, what lies above @after; at most
 * about 64 KiB.  The id of the last one, @after when there is none.  When
 * events between are gone, an event "resync" comes first.
 */
int64_t event_read(sqlite3 *db, int64_t after, struct buf *out);

/* The newest id. */
int64_t event_last(sqlite3 *db);

void event_trim(sqlite3 *db);

#endif
