/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_WORKER_H
#define VE_PORTAL_WORKER_H

/*
 * Threads with a database connection each, in two lanes, so that visitors whose
 * password is being hashed do not keep the others waiting.  Queues are bounded:
 * a full one says so at once.
 */
#include "agent/libve/err.h"
#include "portal/route.h"

struct db;
struct workers;

struct workers *workers_start(const char *conninfo, unsigned light,
			      unsigned heavy);

/* Have @fn(db, arg) run by a thread of @lane.  0, or -EAGAIN when its queue is
 * full. */
int workers_push(struct workers *w, enum lane lane,
		 void (*fn)(struct db *db, void *arg), void *arg);

#endif
