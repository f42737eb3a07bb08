// SPDX-License-Identifier: Apache-2.0
/* Operations: the queue in the data base and the workers that empty it. */
#include "agent/api.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/db.h"
#include "agent/event.h"
#include "agent/libve/fail.h"
#include "agent/libve/log.h"
#include "agent/op_run.h"

#define WORKERS 35 /* most wait: for priv, for init, for the clock */

/* So many of them for each, that none waits for another's crowd: visitors of VEs
 * that sleep; archives, of which priv makes as many at once; who is to be held
 * back; stops, which wait for an init that may not heed them; and all else. */
static const struct lane {
	const char *kind; /* NULL: any other */
	unsigned most;
} lanes[] = { { "wake", 8 },
	      { "archive", 2 },
	      { "suspend", 5 },
	      { "stop", 8 },
	      { NULL, 12 } };

static pthread_cond_t queued; /* something, for one of them */

/* What the workers are at.  A new life begins what is not done anew, so this need
 * not be written down.  The state lock's. */
static struct work {
	int64_t id; /* 0: none */
	const char *stage;
	const struct lane *lane;
} works[WORKERS];

static struct work *work_on(int64_t id)
{
	for (int i = 0; i < WORKERS; i++)
		if (works[i].id == id)
			return &works[i];
	return NULL;
}

int64_t op_queue(const struct ve *v, const char *kind, int64_t *other)
{
	int64_t busy = db_int(api.db, 0,
			      "SELECT id FROM op WHERE veid = ?"
			      " AND state < 2",
			      "i", (int64_t)v->veid);
	int r;

	if (busy) {
		if (other)
			*other = busy;
		return -EBUSY;
	}
	r = db_do(api.db,
		  "INSERT INTO op (veid, kind, state, stage, created,"
		  " finished) VALUES (?, ?, 0, 'queued', ?, 0)",
		  "iti", (int64_t)v->veid, kind, clock_wall());
	if (r < 0)
		return r;
	pthread_cond_signal(&queued);
	return sqlite3_last_insert_rowid(api.db);
}

bool op_ended(int64_t id)
{
	return db_int(api.db, OP_FAILED, "SELECT state FROM op WHERE id = ?",
		      "i", id) >= OP_SUCCEEDED;
}

static void show_error(sqlite3_stmt *st, struct json_out *o)
{
	char name[48], type[80], detail[240];

	if (sqlite3_column_type(st, 6) == SQLITE_NULL) {
		json_put_null(o, "error");
		return;
	}
	db_text(st, 6, name, sizeof(name));
	db_text(st, 7, detail, sizeof(detail));
	snprintf(type, sizeof(type), "urn:vestibule:problem:%s", name);
	json_open(o, "error", '{');
	json_put_string(o, "type", type);
	json_put_string(o, "title", name);
	json_put_string(o, "detail", detail);
	json_close(o, '}');
}

bool op_show(int64_t id, struct buf *out)
{
	static const char *const states[] = { "queued", "running", "succeeded",
					      "failed" };
	sqlite3_stmt *st _stmt_ =
		db_query(api.db,
			 "SELECT veid, kind, state, stage, created, finished,"
			 " problem, detail FROM op WHERE id = ?",
			 "i", id);
	struct json_out o = { .b = out };
	char text[64], when[TIME_TEXT];
	const struct work *at = work_on(id);
	int64_t finished, state;

	if (!db_step(st))
		return false;
	finished = sqlite3_column_int64(st, 5);
	json_open(&o, NULL, '{');
	snprintf(text, sizeof(text), "%" PRId64, id);
	json_put_string(&o, "id", text);
	json_put_int(&o, "veid", sqlite3_column_int64(st, 0));
	db_text(st, 1, text, sizeof(text));
	json_put_string(&o, "kind", text);
	state = sqlite3_column_int64(st, 2);
	db_text(st, 3, text, sizeof(text));
	if (at && state < OP_SUCCEEDED) {
		state = OP_RUNNING;
		snprintf(text, sizeof(text), "%s", at->stage);
	}
	json_put_string(&o, "state", states[state & 3]);
	json_put_string(&o, "stage", text);
	json_put_string(&o, "created",
			time_text(when, sqlite3_column_int64(st, 4)));
	json_put_maybe(&o, "finished",
		       finished ? time_text(when, finished) : NULL);
	show_error(st, &o);
	json_close(&o, '}');
	return true;
}

void op_stage(int64_t id, const char *stage)
{
	struct work *w;

	state_lock();
	w = work_on(id);
	if (w)
		w->stage = stage;
	state_unlock();
}

/* What a failure is called outside. */
static const char *problem_of(int code)
{
	switch (code) {
	case -ENOENT:
		return "template-unknown";
	case -EPERM:
		return "suspended";
	case -ENOSPC:
	case -EDQUOT:
	case -ENOMEM:
		return "capacity-exhausted";
	case -ENOSYS:
	case -ENOTSUP:
		return "kernel-abi-mismatch";
	case -EROFS:
	case -EACCES:
	case -ENOTDIR:
		return "tree-unwritable";
	default:
		return "internal";
	}
}

/* It was suspended, or somebody came to it, while another operation ran: now is
 * the turn of that. */
static void follow_up(uint32_t veid)
{
	struct ve v;

	if (!ve_load(api.db, veid, &v))
		return;
	if (v.suspended && !ve_is_down(&v))
		op_queue(&v, "suspend", NULL);
	else if (!v.suspended && v.state == VE_FROZEN && idle_wanted(veid))
		op_queue(&v, "wake", NULL);
}

/* With the lock held. */
static int write_end(int64_t id, uint32_t veid, int code, const struct err *e)
{
	struct buf b _buf_ = { 0 };

	db_begin(api.db);
	if (db_do(api.db,
		  "UPDATE op SET state = ?, stage = 'done', finished = ?,"
		  " problem = ?, detail = ? WHERE id = ?",
		  "iitti", (int64_t)(code < 0 ? OP_FAILED : OP_SUCCEEDED),
		  clock_wall(), code < 0 ? problem_of(code) : NULL,
		  code < 0 ? e->text : NULL, id) < 0) {
		db_rollback(api.db);
		return -EIO;
	}
	if (op_show(id, &b))
		event_put(api.db, "operation", b.data);
	if (code == 0)
		follow_up(veid);
	return db_commit(api.db);
}

/* The worker keeps the operation until its end is written: else it would be found
 * in the queue, and run again and again for as long as the disk is full. */
static void finish(int64_t id, uint32_t veid, int code, const struct err *e)
{
	bool said = false;

	state_lock();
	while (write_end(id, veid, code, e) < 0) {
		state_unlock();
		if (!said)
			log_err("the end of operation %" PRId64
				" cannot be written: trying on",
				id);
		said = true;
		sleep(1);
		state_lock();
	}
	fail_point("operation-written");
	work_on(id)->id = 0;
	pthread_cond_signal(&queued); /* a wake may go on now */
	state_changed_ve(veid);
	state_unlock();
	if (code < 0)
		log_warn("operation %" PRId64 " on VE %" PRIu32 ": %s", id,
			 veid, e->text);
	http_wake(TOPIC_OP + (uint64_t)id);
	clock_poke();
}

struct claimed {
	int64_t id;
	uint32_t veid;
	char kind[16];
};

static const struct lane *lane_of(const char *kind)
{
	const struct lane *l = lanes;

	while (l->kind && strcmp(l->kind, kind) != 0)
		l++;
	return l;
}

static bool has_room(const struct lane *lane)
{
	unsigned n = 0;

	for (int i = 0; i < WORKERS; i++)
		n += works[i].id && works[i].lane == lane;
	return n < lane->most;
}

/* The first that nobody is at; what the ladder wants can wait for what people
 * want.  The lock's. */
static bool find_queued(struct claimed *c)
{
	sqlite3_stmt *st _stmt_ =
		db_query(api.db,
			 "SELECT id, veid, kind FROM op"
			 " INDEXED BY op_one_live_idx WHERE state < 2"
			 " ORDER BY kind IN ('archive', 'idle'), id",
			 "");

	while (db_step(st)) {
		c->id = sqlite3_column_int64(st, 0);
		if (work_on(c->id))
			continue;
		c->veid = (uint32_t)sqlite3_column_int64(st, 1);
		db_text(st, 2, c->kind, sizeof(c->kind));
		if (has_room(lane_of(c->kind)))
			return true;
	}
	return false;
}

static void claim(struct claimed *c, struct work *w)
{
	state_lock();
	while (!find_queued(c))
		state_wait_on(&queued, clock_mono() + 5000);
	*w = (struct work){ c->id, "begun", lane_of(c->kind) };
	state_unlock();
}

static void *work(void *arg)
{
	struct work *w = arg;

	for (;;) {
		struct claimed c;
		struct err e = { 0 };
		int r;

		claim(&c, w);
		r = op_run(c.id, c.veid, c.kind, &e);
		finish(c.id, c.veid, r, &e);
	}
	return NULL;
}

void op_start_workers(void)
{
	pthread_condattr_t a;
	pthread_t t;

	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_cond_init(&queued, &a);
	/* what a former life did not finish is done again: each step is
	 * written so that it can be */
	for (int i = 0; i < WORKERS; i++)
		if (pthread_create(&t, NULL, work, &works[i]))
			fatal("no thread for operations");
}
