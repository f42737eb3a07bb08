// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "portal/db.h"
#include "portal/db_job.h"
#include "portal/jobd.h"

#define TRIAL_S 15
#define SWEEP_S 300
#define NODES_S 5

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v)
						     : "";
}

static bool is_known(const struct node *list, const char *id)
{
	while (list && strcmp(list->id, id) != 0)
		list = list->next;
	return list;
}

static bool is_listed(struct json_object *all, const char *id)
{
	for (size_t i = 0; i < json_object_array_length(all); i++)
		if (!strcmp(text_of(json_object_array_get_idx(all, i), "id"),
			    id))
			return true;
	return false;
}

/* Let go of the nodes that were revoked. */
static void leave_nodes(struct node *list, struct json_object *all)
{
	for (struct node *n = list; n; n = n->next) {
		if (is_listed(all, n->id))
			continue;
		pthread_mutex_lock(&n->lock);
		if (!n->gone)
			log_info("node %s is revoked", n->id);
		n->gone = true;
		pthread_cond_signal(&n->changed);
		pthread_cond_broadcast(&n->handed);
		pthread_mutex_unlock(&n->lock);
	}
}

/* Start to drive the nodes that are new. */
static void find_nodes(struct db *db, struct node **list, const struct conf *c)
{
	struct json_object *all = NULL;
	struct err e = { 0 };

	if (db_drive_list(db, &all, &e))
		return;
	leave_nodes(*list, all);
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *o = json_object_array_get_idx(all, i);
		struct node *n;

		if (is_known(*list, text_of(o, "id")))
			continue;
		n = xcalloc(1, sizeof(*n));
		n->id = xstrdup(text_of(o, "id"));
		n->url = xstrdup(text_of(o, "url"));
		n->conf = c;
		n->next = *list;
		*list = n;
		log_info("node %s at %s", n->id, n->url);
		node_start(n);
	}
	json_object_put(all);
}

static bool is_due(time_t *last, int seconds)
{
	time_t now = time(NULL);

	if (now - *last < seconds)
		return false;
	*last = now;
	return true;
}

void house_run(const struct conf *c)
{
	struct db *db = db_create(c->db, "ve-jobd house");
	time_t nodes = 0, trials = 0, sweep = 0;
	struct node *list = NULL;

	db_repeats(db);
	for (;;) {
		struct err e = { 0 };

		if (is_due(&nodes, NODES_S))
			find_nodes(db, &list, c);
		if (is_due(&trials, TRIAL_S)) {
			db_trial_run(db, &e);
			db_ladder_run(db, &e);
		}
		db_queue_run(db, &e);
		if (is_due(&sweep, SWEEP_S))
			db_sweep_run(db, &e);
		pause_ms(500);
	}
}
