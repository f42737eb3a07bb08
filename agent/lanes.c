// SPDX-License-Identifier: Apache-2.0
#include "agent/lanes.h"

#include <pthread.h>
#include <string.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"

#define LANE_MAX 256
#define ONE_MAX (LANE_MAX / 8) /* jobs of one VE that wait in a lane */

struct queued {
	uint32_t veid;
	void *job;
};

struct lane {
	pthread_mutex_t lock;
	pthread_cond_t more;
	void (*work)(void *job);
	unsigned workers, share; /* so many at most for one VE */
	unsigned begun; /* workers that have taken their place in @at */
	uint32_t *at; /* by worker: whose job it does, 0: none */
	unsigned length;
	struct queued queue[LANE_MAX];
};

struct lanes {
	struct lane of[2]; /* slow, quick */
};

static unsigned waiting(const struct lane *lane, uint32_t veid)
{
	unsigned n = 0;

	for (unsigned i = 0; i < lane->length; i++)
		n += lane->queue[i].veid == veid;
	return n;
}

static bool has_share(const struct lane *lane, uint32_t veid)
{
	unsigned n = 0;

	for (unsigned i = 0; i < lane->workers; i++)
		n += lane->at[i] == veid;
	return n < lane->share;
}

bool lanes_push(struct lanes *l, bool quick, uint32_t veid, void *job)
{
	struct lane *lane = &l->of[quick];
	bool room;

	pthread_mutex_lock(&lane->lock);
	room = lane->length < LANE_MAX && waiting(lane, veid) < ONE_MAX;
	if (room) {
		lane->queue[lane->length++] = (struct queued){ veid, job };
		pthread_cond_signal(&lane->more);
	}
	pthread_mutex_unlock(&lane->lock);
	return room;
}

/* The first whose VE may have another worker. */
static bool find(struct lane *lane, struct queued *q)
{
	for (unsigned i = 0; i < lane->length; i++) {
		if (!has_share(lane, lane->queue[i].veid))
			continue;
		*q = lane->queue[i];
		memmove(lane->queue + i, lane->queue + i + 1,
			(--lane->length - i) * sizeof(*q));
		return true;
	}
	return false;
}

/* A worker that is done looks at all that waits, so what waited for its VE's
 * share is found without a signal. */
static void *serve(void *arg)
{
	struct lane *lane = arg;
	struct queued q;
	unsigned me;

	pthread_mutex_lock(&lane->lock);
	me = lane->begun++;
	for (;;) {
		while (!find(lane, &q))
			pthread_cond_wait(&lane->more, &lane->lock);
		lane->at[me] = q.veid;
		pthread_mutex_unlock(&lane->lock);
		lane->work(q.job);
		pthread_mutex_lock(&lane->lock);
		lane->at[me] = 0;
	}
	return NULL;
}

static void begin(struct lane *lane, unsigned workers, void (*work)(void *job),
		  const char *what)
{
	pthread_t t;

	pthread_mutex_init(&lane->lock, NULL);
	pthread_cond_init(&lane->more, NULL);
	lane->work = work;
	lane->workers = workers;
	lane->share = workers < 4 ? 1 : workers / 4;
	lane->at = xcalloc(workers, sizeof(*lane->at));
	for (unsigned i = 0; i < workers; i++)
		if (pthread_create(&t, NULL, serve, lane))
			fatal("no thread for %s", what);
}

struct lanes *lanes_start(const char *what, unsigned slow, unsigned quick,
			  void (*work)(void *job))
{
	struct lanes *l = xcalloc(1, sizeof(*l));

	begin(&l->of[0], slow, work, what);
	begin(&l->of[1], quick, work, what);
	return l;
}
