// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "agent/libve/clean.h"
#include "agent/libve/client.h"
#include "agent/libve/fail.h"
#include "agent/libve/log.h"
#include "portal/db_job.h"
#include "portal/jobd.h"

#define CLAIM_S 60 /* a claim; renewed at each step */
#define GIVE_UP_S 900 /* after so long a request has failed */
#define DELAY_MIN_MS 200
#define DELAY_MAX_MS 15000

enum outcome {
	OUTCOME_DONE,
	OUTCOME_FAILED, /* for good: the words are the visitor's */
	OUTCOME_AGAIN, /* the node was busy or did not answer */
	OUTCOME_LOST, /* the job is not ours any more */
};

struct work {
	struct node *node;
	struct desk *desk;
	struct link link;
	struct json_object *job; /* as claimed */
	struct job_id id;
	uint32_t veid;
	const char *kind, *key;
	struct err why; /* of FAILED and AGAIN */
};

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) && v
		       ? json_object_get_string(v)
		       : "";
}

static int64_t number_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_int64(v)
						     : 0;
}

/* What an answer means that is no success. */
static enum outcome judge(struct work *w, int rc, const struct reply *r,
			  const struct err *e)
{
	bool busy = r->status == 409 && !strcmp(r->problem, "ve-busy");

	if (rc) {
		err_set(&w->why, -EAGAIN, "the node does not answer: %s",
			e->text);
		return OUTCOME_AGAIN;
	}
	err_set(&w->why, -EIO, "%s",
		*r->detail ? r->detail : "the node refused");
	if (busy || r->status == 412 || r->status == 429 || r->status >= 500)
		return OUTCOME_AGAIN;
	return OUTCOME_FAILED;
}

static enum outcome keep(struct work *w, const char *stage)
{
	struct err e = { 0 };
	bool ours = false;
	int rc;

	pthread_mutex_lock(&w->desk->lock);
	rc = db_job_keep(w->desk->db, &w->id, CLAIM_S, stage, &ours, &e);
	pthread_mutex_unlock(&w->desk->lock);
	return rc || !ours ? OUTCOME_LOST : OUTCOME_DONE;
}

/* Wait for the operation at @location. */
static enum outcome await(struct work *w, const char *location)
{
	_free_ char *path = xasprintf("%s?wait=20", location);
	struct call call = { .method = "GET",
			     .path = path,
			     .timeout_ms = 30000 };

	for (;;) {
		_reply_ struct reply r = { 0 };
		struct json_object *op, *error = NULL;
		struct err e = { 0 };
		enum outcome out;
		const char *state;
		bool over;
		int rc = client_call(w->link.client, &call, &r, &e);

		if (!rc && r.status == 404) {
			err_set(&w->why, -EAGAIN, "the node forgot about it");
			return OUTCOME_AGAIN;
		}
		if (rc || r.status != 200)
			return judge(w, rc, &r, &e);
		op = json_tokener_parse(r.body.data ? r.body.data : "");
		state = text_of(op, "state");
		json_object_object_get_ex(op, "error", &error);
		if (!strcmp(state, "succeeded"))
			out = OUTCOME_DONE;
		else if (!strcmp(state, "failed"))
			out = OUTCOME_FAILED;
		else
			out = keep(w, text_of(op, "stage"));
		if (out == OUTCOME_FAILED)
			err_set(&w->why, -EIO, "%s",
				*text_of(error, "detail")
					? text_of(error, "detail")
					: text_of(error, "title"));
		over = out != OUTCOME_DONE || !strcmp(state, "succeeded");
		json_object_put(op);
		if (over)
			return out;
	}
}

/* A call that may start an operation, and its end.  @gone says what a 404
 * means. */
static enum outcome call_and_await(struct work *w, const struct call *call,
				   enum outcome gone)
{
	_reply_ struct reply r = { 0 };
	struct err e = { 0 };
	int rc = client_call(w->link.client, call, &r, &e);

	fail_point("job-called");
	if (!rc && r.status == 404 && gone == OUTCOME_DONE)
		return OUTCOME_DONE;
	if (rc || r.status / 100 != 2)
		return judge(w, rc, &r, &e);
	return *r.location ? await(w, r.location) : OUTCOME_DONE;
}

static void ve_path(const struct work *w, char out[static 64],
		    const char *behind)
{
	snprintf(out, 64, "/v1/ves/%u%s", w->veid, behind);
}

/* The VE as the agent has it.  0; 1 when it has none; else an outcome in @out. */
static int look(struct work *w, struct reply *r, enum outcome *out)
{
	char path[64];
	struct call call = { .method = "GET", .path = path };
	struct err e = { 0 };
	int rc;

	ve_path(w, path, "");
	rc = client_call(w->link.client, &call, r, &e);
	if (!rc && r->status == 200)
		return 0;
	if (!rc && r->status == 404)
		return 1;
	*out = judge(w, rc, r, &e);
	return -1;
}

/* The agent has the specification of this generation, made or changed. */
static enum outcome ensure(struct work *w)
{
	_reply_ struct reply r = { 0 };
	struct json_object *spec = NULL, *ve, *has = NULL;
	_free_ char *match = NULL;
	char path[64];
	const char *headers[] = { "If-None-Match: *", NULL };
	struct call call = { .method = "PUT",
			     .path = path,
			     .headers = headers };
	enum outcome out = OUTCOME_DONE;
	bool same;
	int there = look(w, &r, &out);

	if (there < 0)
		return out;
	json_object_object_get_ex(w->job, "spec", &spec);
	if (!there) {
		ve = json_tokener_parse(r.body.data ? r.body.data : "");
		json_object_object_get_ex(ve, "spec", &has);
		same = number_of(has, "generation") ==
		       number_of(spec, "generation");
		json_object_put(ve);
		if (same)
			return OUTCOME_DONE;
		match = xasprintf("If-Match: %s", r.etag);
		headers[0] = match;
	}
	ve_path(w, path, "");
	call.body =
		json_object_to_json_string_ext(spec, JSON_C_TO_STRING_PLAIN);
	call.len = strlen(call.body);
	return call_and_await(w, &call, OUTCOME_FAILED);
}

static enum outcome act(struct work *w, const char *action, enum outcome gone)
{
	_free_ char *key = xasprintf("Idempotency-Key: %s", w->key);
	_free_ char *body = xasprintf("{\"action\":\"%s\"}", action);
	const char *headers[] = { key, NULL };
	char path[64];
	struct call call = { .method = "POST",
			     .path = path,
			     .headers = headers,
			     .body = body,
			     .len = strlen(body) };

	ve_path(w, path, "/actions");
	return call_and_await(w, &call, gone);
}

/* Whether the VE is in the state that start and stop lead to. */
static bool is_there(struct work *w, const char *wanted)
{
	_reply_ struct reply r = { 0 };
	struct json_object *ve, *status = NULL;
	enum outcome out;
	bool yes;

	if (look(w, &r, &out))
		return false;
	ve = json_tokener_parse(r.body.data ? r.body.data : "");
	json_object_object_get_ex(ve, "status", &status);
	yes = !strcmp(text_of(status, "state"), wanted);
	json_object_put(ve);
	return yes;
}

static enum outcome perform(struct work *w)
{
	enum outcome out;
	char path[64];

	if (!strcmp(w->kind, "suspend"))
		return act(w, "suspend", OUTCOME_DONE);
	if (!strcmp(w->kind, "delete")) {
		struct call call = { .method = "DELETE", .path = path };

		ve_path(w, path, "");
		return call_and_await(w, &call, OUTCOME_DONE);
	}
	if (!strcmp(w->kind, "unsuspend")) {
		out = act(w, "unsuspend", OUTCOME_DONE);
		return out == OUTCOME_DONE ? ensure(w) : out;
	}
	if (!strcmp(w->kind, "wake") || !strcmp(w->kind, "idle"))
		return act(w, w->kind, OUTCOME_FAILED);
	if (!strcmp(w->kind, "stay"))
		return act(w, "extend", OUTCOME_FAILED);
	/* First the old files go, then it is told to run: they may be what
	 * keeps it from that. */
	if (!strcmp(w->kind, "reinstall")) {
		out = act(w, "reinstall", OUTCOME_DONE);
		return out == OUTCOME_DONE ? ensure(w) : out;
	}
	out = ensure(w);
	if (out != OUTCOME_DONE || !strcmp(w->kind, "create") ||
	    !strcmp(w->kind, "apply"))
		return out;
	if (!strcmp(w->kind, "start") && is_there(w, "running"))
		return OUTCOME_DONE;
	if (!strcmp(w->kind, "stop") &&
	    (is_there(w, "stopped") || is_there(w, "archived")))
		return OUTCOME_DONE;
	return act(w, w->kind, OUTCOME_FAILED);
}

/* How the VE is now, as a list for db_ve_observe(); NULL when it cannot be seen. */
static char *see(struct work *w)
{
	_reply_ struct reply r = { 0 };
	enum outcome out;

	return look(w, &r, &out)
		       ? NULL
		       : xasprintf("[%s]", r.body.data ? r.body.data : "");
}

static int delay_of(int attempt)
{
	int ms = DELAY_MIN_MS;

	while (attempt-- > 1 && ms < DELAY_MAX_MS)
		ms *= 2;
	return ms < DELAY_MAX_MS ? ms : DELAY_MAX_MS;
}

/* What holds somebody back, or takes something away, is tried for ever. */
static bool may_give_up(const struct work *w)
{
	return strcmp(w->kind, "suspend") && strcmp(w->kind, "unsuspend") &&
	       strcmp(w->kind, "delete") &&
	       number_of(w->job, "age") > GIVE_UP_S;
}

static void conclude(struct work *w, enum outcome out)
{
	pthread_mutex_t *lock = &w->desk->lock;
	struct db *db = w->desk->db;
	_free_ char *seen = NULL;
	struct err e = { 0 };

	if (out == OUTCOME_LOST)
		return;
	if (out == OUTCOME_AGAIN && may_give_up(w))
		out = OUTCOME_FAILED;
	if (out == OUTCOME_AGAIN) {
		pthread_mutex_lock(lock);
		db_job_again(db, &w->id, delay_of(w->id.attempt), w->why.text,
			     NULL, &e);
		pthread_mutex_unlock(lock);
		return;
	}
	if (out == OUTCOME_FAILED)
		log_warn("VE %u: %s: %s", w->veid, w->kind, w->why.text);
	fail_point("job-performed");
	seen = see(w);
	pthread_mutex_lock(lock);
	/* before anybody is told that the job is done */
	if (seen)
		db_ve_observe(db, w->node->id, seen, false, &e);
	db_job_finish(db, &w->id, out == OUTCOME_FAILED ? w->why.text : NULL,
		      NULL, &e);
	pthread_mutex_unlock(lock);
	node_stir(w->node, w->veid);
}

/* @job is the worker's own from here on. */
static void work_on(void *arg, struct json_object *job)
{
	struct work *w = arg;

	w->job = job;
	w->id = (struct job_id){ number_of(job, "id"),
				 (int32_t)number_of(job, "attempt") };
	w->veid = (uint32_t)number_of(job, "veid");
	w->kind = text_of(job, "kind");
	w->key = text_of(job, "key");
	w->why = (struct err){ 0 };
	link_renew(&w->link, w->node);
	conclude(w, perform(w));
	json_object_put(job);
}

/* ---- from the thread that claims to those that work ---------------------- */

/* The next job for a worker, its own from here on; NULL: the node is gone. */
static struct json_object *take(struct node *n)
{
	struct json_object *job;

	pthread_mutex_lock(&n->lock);
	n->idle_workers++;
	pthread_cond_broadcast(&n->handed);
	while (!n->job && !n->gone)
		pthread_cond_wait(&n->handed, &n->lock);
	job = n->job;
	n->job = NULL;
	n->idle_workers--;
	pthread_cond_broadcast(&n->handed);
	pthread_mutex_unlock(&n->lock);
	return job;
}

/* Give @job, when not NULL, to a worker, and wait until another has nothing to
 * do. */
static void hand(void *arg, struct json_object *job)
{
	struct node *n = arg;

	pthread_mutex_lock(&n->lock);
	n->job = job;
	pthread_cond_broadcast(&n->handed);
	while ((n->job || !n->idle_workers) && !n->gone)
		pthread_cond_wait(&n->handed, &n->lock);
	pthread_mutex_unlock(&n->lock);
}

/* The last of the node's workers takes the desk with it. */
void *work_run(void *arg)
{
	struct node *n = arg;
	struct work w = { .node = n, .desk = &n->desk };
	struct json_object *job;
	bool last;

	while ((job = take(n)))
		work_on(&w, job);
	link_close(&w.link);
	pthread_mutex_lock(&n->desk.lock);
	last = !--n->desk.workers;
	pthread_mutex_unlock(&n->desk.lock);
	if (last)
		db_destroy(n->desk.db);
	return NULL;
}

static void nothing(void *arg, const char *payload)
{
}

typedef int claim_fn(struct db *db, const char *node, int32_t seconds,
		     struct json_object **out, struct err *e);
typedef void job_fn(void *arg, struct json_object *job);

/* Every job of the node goes to @fn, whose it is from there on. */
static void claim_for_ever(struct node *n, struct db *db, claim_fn *claim,
			   job_fn *fn, void *arg)
{
	while (!node_is_gone(n)) {
		struct json_object *job = NULL;
		struct err e = { 0 };

		if (db_listen(db, "ve_job", &e)) {
			pause_ms(500);
			continue;
		}
		do {
			while (!node_is_gone(n) &&
			       !claim(db, n->id, CLAIM_S, &job, &e) && job) {
				fail_point("job-claimed");
				fn(arg, take_ptr(&job));
			}
		} while (!node_is_gone(n) &&
			 !db_wait(db, 1000, nothing, NULL, &e));
	}
	db_destroy(db);
}

void *claim_run(void *arg)
{
	struct node *n = arg;

	hand(n, NULL);
	claim_for_ever(n, db_create(n->conf->db, "ve-jobd claim"),
		       db_job_claim, hand, n);
	return NULL;
}

void *urgent_run(void *arg)
{
	struct node *n = arg;
	struct desk desk = { .lock = PTHREAD_MUTEX_INITIALIZER,
			     .db = db_create(n->conf->db, "ve-jobd urgent") };
	struct work w = { .node = n, .desk = &desk };

	claim_for_ever(n, desk.db, db_job_claim_urgent, work_on, &w);
	link_close(&w.link);
	return NULL;
}
