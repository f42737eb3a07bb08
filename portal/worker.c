// SPDX-License-Identifier: Apache-2.0
#include "portal/worker.h"

#include <errno.h>
#include <pthread.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "portal/db.h"

#define QUEUE 256 /* waiting at most, for each lane */

struct item {
	void (*fn)(struct db *db, void *arg);
	void *arg;
};

struct lane_queue {
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t filled;
	struct item ring[QUEUE];
	unsigned first, count;
	const char *conninfo;
};

struct workers {
	struct lane_queue light, heavy;
};

static void *work(void *arg)
{
	struct lane_queue *q = arg;
	struct db *db = db_create(q->conninfo, "ve-portald web");

	for (;;) {
		struct item it;

		pthread_mutex_lock(&q->lock);
		while (!q->count)
			pthread_cond_wait(&q->filled, &q->lock);
		it = q->ring[q->first];
		q->first = (q->first + 1) % QUEUE;
		q->count--;
		pthread_mutex_unlock(&q->lock);
		it.fn(db, it.arg);
	}
	return NULL;
}

static void start_lane(struct lane_queue *q, const char *conninfo, unsigned n)
{
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->filled, NULL);
	q->conninfo = conninfo;
	while (n--) {
		pthread_t t;

		if (pthread_create(&t, NULL, work, q))
			fatal("cannot start a worker thread");
		pthread_detach(t);
	}
}

struct workers *workers_start(const char *conninfo, unsigned light,
			      unsigned heavy)
{
	struct workers *w = xcalloc(1, sizeof(*w));

	start_lane(&w->light, conninfo, light);
	start_lane(&w->heavy, conninfo, heavy);
	return w;
}

int workers_push(struct workers *w, enum lane lane,
		 void (*fn)(struct db *db, void *arg), void *arg)
{
	struct lane_queue *q = lane == LANE_HEAVY ? &w->heavy : &w->light;
	int rc = -EAGAIN;

	pthread_mutex_lock(&q->lock);
	if (q->count < QUEUE) {
		q->ring[(q->first + q->count++) % QUEUE] =
			(struct item){ fn, arg };
		pthread_cond_signal(&q->filled);
		rc = 0;
	}
	pthread_mutex_unlock(&q->lock);
	return rc;
}
