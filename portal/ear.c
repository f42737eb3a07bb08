// SPDX-License-Identifier: Apache-2.0
#include "portal/ear.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/libve/mono.h"
#include "portal/db_account.h"
#include "portal/relay.h"

#define PING_MS 5000
#define CHECK_MS 60000 /* a session may end by its time, which nobody says */

struct ear {
	const char *conninfo;
	struct relays *relays;
};

int ear_parse(struct ear_word *w, const char *payload)
{
	char why[16] = "";

	*w = (struct ear_word){ 0 };
	if (sscanf(payload, "session %lld", &w->session) == 1) {
		w->code = TERM_CLOSE_SESSION;
		return 0;
	}
	if (sscanf(payload, "ve %u %15s", &w->veid, why) != 2)
		return -EINVAL;
	w->code = strcmp(why, "suspended") ? TERM_CLOSE_NO_VE
					   : TERM_CLOSE_SUSPENDED;
	return 0;
}

static void hear(void *arg, const char *payload)
{
	struct ear *ear = arg;
	struct ear_word w;

	if (!ear_parse(&w, payload))
		relays_end(ear->relays, w.session, w.veid, w.code);
}

static int check_one(struct ear *ear, struct db *db, const struct relay_id *id)
{
	struct json_object *v = NULL;
	struct err e = { 0 };
	const char *word;
	int rc = db_session_check(db, id->session, id->veid, &v, &e);

	if (rc)
		return rc;
	word = v ? json_object_get_string(v) : "ended";
	if (!strcmp(word, "suspended"))
		relays_end(ear->relays, 0, id->veid, TERM_CLOSE_SUSPENDED);
	else if (!strcmp(word, "gone"))
		relays_end(ear->relays, 0, id->veid, TERM_CLOSE_NO_VE);
	else if (!strcmp(word, "ended"))
		relays_end(ear->relays, id->session, 0, TERM_CLOSE_SESSION);
	json_object_put(v);
	return 0;
}

/* All, on one connection: what is said while they are looked at is heard behind it. */
static bool check_all(struct ear *ear, struct db *db)
{
	_free_ struct relay_id *ids = NULL;
	size_t n = relays_list(ear->relays, &ids);
	unsigned life = db_life(db);

	for (size_t i = 0; i < n; i++)
		if (check_one(ear, db, &ids[i]))
			return false;
	return db_life(db) == life;
}

/* Until the connection is lost, or not sure. */
static void listen_on(struct ear *ear, struct db *db)
{
	int64_t checked = mono_ms();
	struct err e = { 0 };

	while (!db_wait(db, PING_MS, hear, ear, &e) && !db_ping(db, &e)) {
		if (mono_ms() - checked < CHECK_MS)
			continue;
		if (!check_all(ear, db))
			return;
		checked = mono_ms();
	}
}

static void *listen_for_ever(void *arg)
{
	struct ear *ear = arg;
	struct db *db = db_create(ear->conninfo, "ve-portald ear");
	const struct timespec pause = { .tv_nsec = 250000000 };

	for (;;) {
		struct err e = { 0 };

		if (db_listen(db, "ve_end", &e) || !check_all(ear, db)) {
			nanosleep(&pause, NULL);
			continue;
		}
		relays_hear(ear->relays, true);
		listen_on(ear, db);
		relays_hear(ear->relays, false);
	}
	return NULL;
}

void ear_start(const char *conninfo, struct relays *relays)
{
	struct ear *ear = xcalloc(1, sizeof(*ear));
	pthread_t t;

	*ear = (struct ear){ conninfo, relays };
	if (pthread_create(&t, NULL, listen_for_ever, ear))
		fatal("cannot start the listener");
	pthread_detach(t);
}
