// SPDX-License-Identifier: Apache-2.0
#include "agent/lanes.h"

#include <pthread.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"

#define LANE_MAX 256

struct lane {
	pthread_mutex_t lock;
	pthread_cond_t more;
	void (*work)(void *job);
	unsigned first, length;
	void *jobs[LANE_MAX];
};

struct lanes {
	struct lane of[2]; /* slow, quick */
};

bool lanes_push(struct lanes *l, bool quick, void *job)
{
	struct lane *lane = &l->of[quick];
	bool room;

	pthread_mutex_lock(&lane->lock);
	room = lane->length < LANE_MAX;
	if (room) {
		lane->jobs[(lane->first + lane->length++) % LANE_MAX] = job;
		pthread_cond_signal(&lane->more);
	}
	pthread_mutex_unlock(&lane->lock);
	return room;
}

static void *take(struct lane *lane)
{
	void *job;

	pthread_mutex_lock(&lane->lock);
	while (!lane->length)
		pthread_cond_wait(&lane->more, &lane->lock);
	job = lane->jobs[lane->first];
	lane->first = (lane->first + 1) % LANE_MAX;
	lane->length--;
	pthread_mutex_unlock(&lane->lock);
	return job;
}

static void *serve(void *arg)
{
	struct lane *lane = arg;

	for (;;)
		lane->work(take(lane));
	return NULL;
}

struct lanes *lanes_start(const char *what, int slow, int quick,
			  void (*work)(void *job))
{
	struct lanes *l = xcalloc(1, sizeof(*l));
	pthread_t t;

	for (int i = 0; i < 2; i++) {
		pthread_mutex_init(&l->of[i].lock, NULL);
		pthread_cond_init(&l->of[i].more, NULL);
		l->of[i].work = work;
	}
	for (int i = 0; i < slow + quick; i++)
		if (pthread_create(&t, NULL, serve, &l->of[i >= slow]))
			fatal("no thread for %s", what);
	return l;
}
