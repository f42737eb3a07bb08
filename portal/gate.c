// SPDX-License-Identifier: Apache-2.0
#include "portal/gate.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/libve/clean.h"
#include "agent/libve/mono.h"

/* A network of which somebody is here. */
struct network {
	struct network *next;
	struct addr of; /* the address without its last bytes */
	unsigned visits;
};

/* What is being woken; 0: nothing. */
struct turn {
	uint32_t veid;
	char node[GATE_NODE];
};

struct waiter {
	struct waiter *next;
	struct turn wants;
	bool called;
	pthread_cond_t turn;
};

struct gate {
	pthread_mutex_t lock; /* of all below */
	unsigned visits;
	struct network *networks;
	struct turn waking[GATE_SLEEPERS];
	unsigned sleepers; /* waking and waiting */
	struct waiter *first; /* in the order they came */
};

struct gate *gate_create(void)
{
	struct gate *g = xcalloc(1, sizeof(*g));

	pthread_mutex_init(&g->lock, NULL);
	return g;
}

void gate_destroy(struct gate *g)
{
	while (g && g->networks) {
		struct network *n = g->networks;

		g->networks = n->next;
		free(n);
	}
	free(g);
}

/* ---- places, with the lock held -------------------------------------------- */

static struct addr network_of(const struct addr *a)
{
	struct addr n = { .family = a->family };

	memcpy(n.bytes, a->bytes, a->family == 4 ? 3 : 8);
	return n;
}

/* Where this network is in the list, or the end of it. */
static struct network **find(struct gate *g, const struct addr *peer)
{
	struct addr of = network_of(peer);
	struct network **at = &g->networks;

	while (*at && memcmp(&(*at)->of, &of, sizeof(of)) != 0)
		at = &(*at)->next;
	return at;
}

static int take_place(struct gate *g, const struct addr *peer)
{
	struct network **at = find(g, peer);

	if (g->visits >= GATE_VISITS)
		return -EBUSY;
	if (*at && (*at)->visits >= GATE_EACH)
		return -EDQUOT;
	if (!*at) {
		*at = xcalloc(1, sizeof(**at));
		(*at)->of = network_of(peer);
	}
	(*at)->visits++;
	g->visits++;
	return 0;
}

int gate_enter(struct gate *g, const struct addr *peer)
{
	int rc;

	pthread_mutex_lock(&g->lock);
	rc = take_place(g, peer);
	pthread_mutex_unlock(&g->lock);
	return rc;
}

void gate_leave(struct gate *g, const struct addr *peer)
{
	struct network **at, *n;

	pthread_mutex_lock(&g->lock);
	at = find(g, peer);
	n = *at;
	g->visits--;
	if (!--n->visits) {
		*at = n->next;
		free(n);
	}
	pthread_mutex_unlock(&g->lock);
}

/* ---- turns, with the lock held --------------------------------------------- */

/* A free turn; NULL when its node has as many as it may, or the VE is being woken
 * by somebody else. */
static struct turn *turn_for(struct gate *g, const struct turn *wants)
{
	struct turn *free_turn = NULL;
	unsigned same = 0;

	for (size_t i = 0; i < GATE_SLEEPERS; i++) {
		struct turn *t = &g->waking[i];

		if (t->veid == wants->veid)
			return NULL;
		if (!t->veid)
			free_turn = t;
		else
			same += !strcmp(t->node, wants->node);
	}
	return same < GATE_WAKES ? free_turn : NULL;
}

/* Give turns to those who wait, first come first served; who waits for a VE that
 * another one wakes is passed over. */
static void call(struct gate *g)
{
	for (struct waiter *w = g->first; w; w = w->next) {
		struct turn *turn = w->called ? NULL : turn_for(g, &w->wants);

		if (!turn)
			continue;
		*turn = w->wants;
		w->called = true;
		pthread_cond_signal(&w->turn);
	}
}

static void add(struct gate *g, struct waiter *w)
{
	struct waiter **at = &g->first;

	while (*at)
		at = &(*at)->next;
	*at = w;
}

static void drop(struct gate *g, const struct waiter *w)
{
	struct waiter **at = &g->first;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
}

static int wait_turn(struct gate *g, struct waiter *w, int ms)
{
	struct timespec t = mono_after(ms);
	int rc = 0;

	add(g, w);
	call(g);
	while (!w->called && !rc)
		rc = pthread_cond_timedwait(&w->turn, &g->lock, &t);
	drop(g, w);
	return w->called ? 0 : -ETIMEDOUT;
}

int gate_wake(struct gate *g, const char *node, uint32_t veid, int ms)
{
	struct waiter w = { .wants.veid = veid };
	int rc = -EBUSY;

	snprintf(w.wants.node, sizeof(w.wants.node), "%s", node);
	mono_cond_init(&w.turn);
	pthread_mutex_lock(&g->lock);
	if (g->sleepers < GATE_SLEEPERS) {
		g->sleepers++;
		rc = wait_turn(g, &w, ms);
		g->sleepers -= rc != 0;
	}
	pthread_mutex_unlock(&g->lock);
	pthread_cond_destroy(&w.turn);
	return rc;
}

void gate_woken(struct gate *g, uint32_t veid)
{
	pthread_mutex_lock(&g->lock);
	for (size_t i = 0; i < GATE_SLEEPERS; i++)
		if (g->waking[i].veid == veid)
			g->waking[i].veid = 0;
	g->sleepers--;
	call(g);
	pthread_mutex_unlock(&g->lock);
}

unsigned gate_waiting(struct gate *g)
{
	unsigned n = 0;

	pthread_mutex_lock(&g->lock);
	for (struct waiter *w = g->first; w; w = w->next)
		n += !w->called;
	pthread_mutex_unlock(&g->lock);
	return n;
}
