// SPDX-License-Identifier: Apache-2.0
#include "agent/handlers.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/api.h"
#include "agent/db.h"
#include "agent/spec.h"
#include "agent/usage.h"

#define IDS_MAX 100

/* The VE as reply.  With the lock held, which is released. */
static enum MHD_Result show(struct request *q, const struct ve *v,
			    const struct msg_usage *u, int status)
{
	struct buf b = { 0 };
	struct json_out o = { .b = &b };
	char etag[VE_ETAG];

	ve_show(api.db, v, u, &o);
	state_unlock();
	ve_etag(v, etag);
	http_add(q, "ETag", "%s", etag);
	return http_json(q, status, &b);
}

static enum MHD_Result no_such_ve(struct request *q)
{
	return http_problem(q, 404, "ve-not-found",
			    "there is no VE %" PRIu32 " on this node", q->veid);
}

/* The VE with 202 and the operation's place, when work is needed. */
static enum MHD_Result show_working(struct request *q, const struct ve *v,
				    int status, int64_t op)
{
	if (op > 0) {
		http_add(q, "Location", "/v1/operations/%" PRId64, op);
		http_add(q, "Retry-After", "1");
		status = 202;
	}
	return show(q, v, NULL, status);
}

static bool knows_template(const char *name)
{
	for (uint32_t i = 0; i < api.templates.nr; i++)
		if (!strcmp(api.templates.templates[i].name, name))
			return true;
	return api.templates.nr == 0; /* not asked yet: the start will say */
}

static enum MHD_Result fail_locked(struct request *q, int status,
				   const char *name, const char *why)
{
	state_unlock();
	return http_problem(q, status, name, "%s", why);
}

/* With the lock held, which is released. */
static enum MHD_Result create(struct request *q, const struct spec *s)
{
	int slot = ve_free_slot(api.db);
	struct ve v = { .veid = q->veid,
			.slot = (uint32_t)slot,
			.exit_status = -1,
			.since = clock_wall() };
	int64_t op = 0;

	if (slot < 0 || db_int(api.db, 0, "SELECT count(*) FROM ve", "") >=
				api.conf->max_ves)
		return fail_locked(q, 503, "capacity-exhausted",
				   "this node holds as many VEs as it may");
	if (!knows_template(s->template))
		return fail_locked(q, 422, "template-unknown",
				   "this node has no such template");
	spec_apply(&v, s);
	v.observed = v.want_running ? 0 : v.generation;
	if (ve_save(api.db, &v) < 0)
		return fail_locked(q, 507, "capacity-exhausted",
				   "the node cannot write its state");
	if (v.want_running)
		op = op_queue(&v, "start", NULL);
	return show_working(q, &v, 201, op);
}

/* What must be done to get from @was to @v; NULL for nothing.  What has gone
 * down by itself, or by the ladder, is not brought up by a new limit. */
static const char *work_for(const struct ve *was, const struct ve *v)
{
	bool up = !ve_is_down(v);

	if (v->want_running && !was->want_running && !up && !v->suspended)
		return "start";
	if (!v->want_running && up)
		return "stop";
	if (up && was->observed < was->generation)
		return "apply"; /* it went wrong the last time */
	return memcmp(&was->limits, &v->limits, sizeof(v->limits)) ? "apply"
								   : NULL;
}

/* With the lock held, which is released. */
static enum MHD_Result update(struct request *q, const struct ve *was,
			      const struct spec *s)
{
	struct ve v = *was;
	const char *kind;
	int64_t op = 0, other = 0;

	if (strcmp(s->template, was->template))
		return fail_locked(q, 422, "template-unknown",
				   "the template changes by the action"
				   " \"reinstall\" only");
	if (s->generation < was->generation)
		return fail_locked(q, 412, "generation-conflict",
				   "the node has a newer generation");
	spec_apply(&v, s);
	kind = work_for(was, &v);
	if (kind) {
		op = op_queue(&v, kind, &other);
		if (op == -EBUSY)
			return busy(q, v.veid, other);
	} else {
		v.observed = v.generation;
	}
	if (v.want_running && !was->want_running)
		v.halted = false;
	if (op < 0 || ve_save(api.db, &v) < 0)
		return fail_locked(q, 507, "capacity-exhausted",
				   "the node cannot write its state");
	return show_working(q, &v, 200, op);
}

/* Whether the tag is of the spec as it is.  What stands behind the '-' counts
 * the status, whose changes are no reason to refuse a new spec. */
static bool same_generation(const char *tag, const struct ve *v)
{
	char want[VE_ETAG];
	int n = snprintf(want, sizeof(want), "\"%" PRId64 "-", v->generation);

	return !strncmp(tag, want, (size_t)n);
}

enum MHD_Result on_ve_put(struct request *q)
{
	const char *none = http_header(q, "If-None-Match");
	const char *match = http_header(q, "If-Match");
	struct err e = { 0 };
	struct spec s;
	struct ve v;
	bool there;

	if (!none == !match || (none && strcmp(none, "*")))
		return http_problem(q, 428, "precondition-required",
				    "send If-None-Match: * to create or"
				    " If-Match to update");
	if (spec_read(&s, q->body.data ? q->body.data : "", q->body.len, &e) <
	    0)
		return http_problem(q, 400, "malformed", "%s", e.text);
	state_lock();
	there = ve_load(api.db, q->veid, &v);
	if (none && there)
		return fail_locked(q, 412, "generation-conflict",
				   "the VE exists already");
	if (none)
		return create(q, &s);
	if (!there) {
		state_unlock();
		return no_such_ve(q);
	}
	if (strcmp(match, "*") && !same_generation(match, &v))
		return fail_locked(q, 412, "generation-conflict",
				   "the VE changed since: read it again");
	return update(q, &v, &s);
}

/* With what it uses, which priv is asked for.  With the lock held, which is
 * released. */
static enum MHD_Result show_used(struct request *q, const struct ve *v)
{
	struct msg_usage u = { .counted = 0 };
	enum MHD_Result r;

	if (v->state != VE_RUNNING && v->state != VE_FROZEN)
		return show(q, v, &u, 200);
	if (!q->asked)
		q->asked = clock_mono() - USAGE_MS;
	if (usage_get(q->veid, q->asked, &u))
		return show(q, v, &u, 200);
	state_unlock();
	r = http_wait(q, TOPIC_VE | q->veid);
	usage_ask(q->veid);
	return r;
}

/* With ?wait and the tag that the client knows: when the VE has another. */
enum MHD_Result on_ve_get(struct request *q)
{
	const char *known = http_header(q, "If-None-Match");
	char etag[VE_ETAG];
	uint64_t wait = 0;
	struct ve v;

	if (http_argument(q, "wait", WAIT_MAX, &wait) < 0)
		return http_problem(q, 400, "malformed",
				    "wait is 0..%d seconds", WAIT_MAX);
	if (!q->deadline)
		q->deadline = clock_mono() + (int64_t)wait * 1000;
	state_lock();
	if (!ve_load(api.db, q->veid, &v)) {
		state_unlock();
		return no_such_ve(q);
	}
	ve_etag(&v, etag);
	if (!known || strcmp(known, etag))
		return show_used(q, &v);
	state_unlock();
	if (clock_mono() < q->deadline)
		return http_wait(q, TOPIC_VE | q->veid);
	http_add(q, "ETag", "%s", etag);
	return http_empty(q, 304);
}

enum MHD_Result on_ve_delete(struct request *q)
{
	struct ve v;
	int64_t op, other = 0;

	state_lock();
	if (!ve_load(api.db, q->veid, &v)) {
		state_unlock();
		return no_such_ve(q);
	}
	op = op_queue(&v, "destroy", &other);
	if (op < 0)
		return busy(q, v.veid, other);
	return accepted(q, op);
}

/* "1000,1001,..." as numbers; how many, or -EINVAL. */
static int read_ids(const char *text, uint32_t out[static IDS_MAX])
{
	int n = 0;

	for (const char *s = text;; s++) {
		char *end;
		unsigned long id = strtoul(s, &end, 10);

		if (!isdigit((unsigned char)*s) || !id || id > INT32_MAX ||
		    n == IDS_MAX || (*end && *end != ','))
			return -EINVAL;
		out[n++] = (uint32_t)id;
		if (!*end)
			return n;
		s = end;
	}
}

struct view {
	bool whole;   /* with what is wanted, not just what is */
	bool named;   /* those of @ids only */
	int n;
	uint32_t ids[IDS_MAX];
	uint64_t limit, after;
};

/* What is asked for; false when that makes no sense. */
static bool read_view(const struct request *q, struct view *w)
{
	const char *view = http_text(q, "view"), *ids = http_text(q, "ids");

	*w = (struct view){ .limit = 100, .whole = !view, .named = ids };
	if (ids)
		w->n = read_ids(ids, w->ids);
	return w->n >= 0 && (!view || !strcmp(view, "status")) &&
	       http_argument(q, "limit", 1000, &w->limit) == 0 && w->limit &&
	       http_argument(q, "after", INT32_MAX, &w->after) == 0;
}

static void put(const struct view *w, const struct ve *v, struct json_out *o)
{
	if (w->whole)
		ve_show(api.db, v, NULL, o);
	else
		ve_show_state(api.db, v, o);
}

/* With the lock held.  Where the next page begins, 0: nowhere. */
static uint32_t put_all(const struct view *w, struct json_out *o)
{
	struct ve v = { .veid = (uint32_t)w->after };
	bool more = true;

	for (uint64_t n = 0; n < w->limit; n++) {
		more = ve_load_after(api.db, v.veid, &v);
		if (!more)
			break;
		put(w, &v, o);
	}
	more = more && db_int(api.db, 0, "SELECT 1 FROM ve WHERE veid > ?", "i",
			      (int64_t)v.veid);
	return more ? v.veid : 0;
}

enum MHD_Result on_ve_list(struct request *q)
{
	struct buf b = { 0 };
	struct json_out o = { .b = &b };
	uint32_t next = 0;
	struct view w;
	struct ve v;

	if (!read_view(q, &w))
		return http_problem(q, 400, "malformed",
				    "limit is 1..1000, after a veid, ids are"
				    " at most %d with commas, view is status",
				    IDS_MAX);
	json_open(&o, NULL, '{');
	json_open(&o, "items", '[');
	state_lock();
	for (int i = 0; i < w.n; i++)
		if (ve_load(api.db, w.ids[i], &v))
			put(&w, &v, &o);
	if (!w.named)
		next = put_all(&w, &o);
	state_unlock();
	json_close(&o, ']');
	if (next)
		json_put_int(&o, "next", next);
	json_close(&o, '}');
	return http_json(q, 200, &b);
}
