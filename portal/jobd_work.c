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
	struct db *db;
	struct link link;
	int (*claim)(struct db *db, const char *node, int32_t seconds,
		     struct json_object **out, struct err *e);
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

	if (db_job_keep(w->db, &w->id, CLAIM_S, stage, &ours, &e) || !ours)
		return OUTCOME_LOST;
	return OUTCOME_DONE;
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

/* How the VE is now, before anybody is told that the job is done. */
static void observe(struct work *w)
{
	_reply_ struct reply r = { 0 };
	_free_ char *items = NULL;
	enum outcome out;
	struct err e = { 0 };

	if (look(w, &r, &out))
		return;
	items = xasprintf("[%s]", r.body.data ? r.body.data : "");
	db_ve_observe(w->db, w->node->id, items, false, &e);
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
	struct err e = { 0 };

	if (out == OUTCOME_AGAIN && may_give_up(w))
		out = OUTCOME_FAILED;
	if (out == OUTCOME_AGAIN) {
		db_job_again(w->db, &w->id, delay_of(w->id.attempt),
			     w->why.text, NULL, &e);
		return;
	}
	if (out == OUTCOME_LOST)
		return;
	if (out == OUTCOME_FAILED)
		log_warn("VE %u: %s: %s", w->veid, w->kind, w->why.text);
	fail_point("job-performed");
	observe(w);
	db_job_finish(w->db, &w->id, out == OUTCOME_FAILED ? w->why.text : NULL,
		      NULL, &e);
	node_stir(w->node, w->veid);
}

/* One job, when there is one. */
static bool work_once(struct work *w)
{
	struct err e = { 0 };

	if (w->claim(w->db, w->node->id, CLAIM_S, &w->job, &e) || !w->job)
		return false;
	fail_point("job-claimed");
	w->id = (struct job_id){ number_of(w->job, "id"),
				 (int32_t)number_of(w->job, "attempt") };
	w->veid = (uint32_t)number_of(w->job, "veid");
	w->kind = text_of(w->job, "kind");
	w->key = text_of(w->job, "key");
	w->why = (struct err){ 0 };
	link_renew(&w->link, w->node);
	conclude(w, perform(w));
	json_object_put(w->job);
	w->job = NULL;
	return true;
}

static void nothing(void *arg, const char *payload)
{
}

static void work_for_ever(struct work *w)
{
	while (!node_is_gone(w->node)) {
		struct err e = { 0 };

		if (db_listen(w->db, "ve_job", &e)) {
			pause_ms(500);
			continue;
		}
		do {
			while (work_once(w))
				;
		} while (!node_is_gone(w->node) &&
			 !db_wait(w->db, 1000, nothing, NULL, &e));
	}
	db_destroy(w->db);
	link_close(&w->link);
}

void *work_run(void *arg)
{
	struct node *n = arg;
	struct work w = { .node = n,
			  .db = db_create(n->conf->db, "ve-jobd work"),
			  .claim = db_job_claim };

	work_for_ever(&w);
	return NULL;
}

void *urgent_run(void *arg)
{
	struct node *n = arg;
	struct work w = { .node = n,
			  .db = db_create(n->conf->db, "ve-jobd urgent"),
			  .claim = db_job_claim_urgent };

	work_for_ever(&w);
	return NULL;
}
