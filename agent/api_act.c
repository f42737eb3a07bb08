// SPDX-License-Identifier: Apache-2.0
#include "agent/handlers.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "agent/api.h"
#include "agent/db.h"
#include "agent/libve/wire.h"
#include "agent/name.h"
#include "agent/pump.h"

struct action {
	char action[16], template[MSG_NAME];
};

static const struct json_field action_fields[] = {
	JSON_ROW_STRING("action", struct action, action, JSON_REQUIRED, 1, 15),
	JSON_ROW_STRING("template", struct action, template, 0, 1, 32),
	JSON_ROW_END,
};

enum MHD_Result accepted(struct request *q, int64_t op)
{
	struct buf b = { 0 };

	op_show(op, &b);
	state_unlock();
	http_add(q, "Location", "/v1/operations/%" PRId64, op);
	http_add(q, "Retry-After", "1");
	return http_json(q, 202, &b);
}

enum MHD_Result busy(struct request *q, uint32_t veid, int64_t other)
{
	state_unlock();
	if (!other)
		return http_problem(q, 507, "capacity-exhausted",
				    "the node cannot write its state");
	http_add(q, "Location", "/v1/operations/%" PRId64, other);
	http_add(q, "Retry-After", "1");
	return http_problem(q, 409, "ve-busy",
			    "operation %" PRId64 " on VE %" PRIu32
			    " is under way",
			    other, veid);
}

static bool is_action(const char *s)
{
	static const char *const all[] = {
		"start",     "stop", "restart", "reinstall", "suspend",
		"unsuspend", "wake", "idle",	"extend", "archive", "restore",
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(all[i], s))
			return true;
	return false;
}

static void fingerprint(const struct request *q, char out[static 65])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct buf b _buf_ = { 0 };
	unsigned n = 0;

	buf_printf(&b, "%" PRIu32 " ", q->veid);
	buf_put(&b, q->body.data, q->body.len);
	EVP_Digest(b.data, b.len, digest, &n, EVP_sha256(), NULL);
	for (unsigned i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* The operation that this key made before: 0 none, -EINVAL another request. */
static int64_t seen_before(const char *key, const char *print)
{
	sqlite3_stmt *st _stmt_ = db_query(
		api.db, "SELECT fingerprint, op FROM key WHERE key = ?", "t",
		key);
	char was[65];

	if (!db_step(st))
		return 0;
	db_text(st, 0, was, sizeof(was));
	return strcmp(was, print) ? -EINVAL : sqlite3_column_int64(st, 1);
}

/* What takes effect with the answer, before the operation runs. */
static void at_once(struct ve *v, const struct action *a)
{
	struct msg_terminal bye = { .head.type = MSG_CLOSE,
				    .veid = v->veid,
				    .close = TERM_CLOSE_SUSPENDED };

	if (!strcmp(a->action, "suspend")) {
		v->suspended = true;
		tell_term(&bye, NULL, 0);
		pump_close(v->veid);
	} else if (!strcmp(a->action, "unsuspend")) {
		v->suspended = false;
	} else if (!strcmp(a->action, "idle")) {
		idle_begin(v->veid);
		return;
	} else if (!strcmp(a->action, "extend") && v->state == VE_STOPPED) {
		v->since = clock_wall();
	} else if (!strcmp(a->action, "extend")) {
		/* one that sleeps sleeps on, for longer */
		idle_touch(v->veid, v->state == VE_FROZEN ? IDLE_FROZEN
							  : IDLE_EXTENDED);
		return;
	} else if (!strcmp(a->action, "reinstall") && a->template[0]) {
		strcpy(v->template, a->template);
	} else {
		return;
	}
	ve_save(api.db, v);
}

/* With the lock held, which is released. */
static enum MHD_Result act(struct request *q, struct ve *v,
			   const struct action *a, const char *key,
			   const char *print)
{
	int64_t op, other = 0;
	bool starts = !strcmp(a->action, "start") ||
		      !strcmp(a->action, "restart") ||
		      !strcmp(a->action, "wake");

	if (v->suspended && starts) {
		state_unlock();
		return http_problem(q, 403, "suspended",
				    "VE %" PRIu32 " is suspended", v->veid);
	}
	if (!strcmp(a->action, "archive") && !ve_is_down(v)) {
		state_unlock();
		return http_problem(q, 409, "ve-busy",
				    "VE %" PRIu32 " runs: stop it first",
				    v->veid);
	}
	/* suspension is not to wait for whatever else is under way */
	if (!strcmp(a->action, "suspend"))
		at_once(v, a);
	db_begin(api.db);
	op = op_queue(v, a->action, &other);
	if (op < 0) {
		db_rollback(api.db);
		return busy(q, v->veid, other);
	}
	if (strcmp(a->action, "suspend"))
		at_once(v, a);
	db_do(api.db, "INSERT INTO key VALUES (?,?,?,?)", "ttii", key, print,
	      op, clock_wall());
	if (db_commit(api.db) < 0)
		return busy(q, v->veid, 0);
	return accepted(q, op);
}

enum MHD_Result on_ve_action(struct request *q)
{
	const char *key = http_header(q, "Idempotency-Key");
	struct action a = { 0 };
	struct err e = { 0 };
	char print[65];
	struct ve v;
	int64_t op;

	if (!key || !*key || strlen(key) > 128)
		return http_problem(q, 400, "malformed",
				    "an Idempotency-Key of 1..128 characters"
				    " is required");
	if (json_decode(q->body.data ? q->body.data : "", q->body.len, BODY_MAX,
			action_fields, &a, true, &e) < 0)
		return http_problem(q, 400, "malformed", "%s", e.text);
	if (!is_action(a.action) || (a.template[0] && !is_name(a.template)))
		return http_problem(q, 400, "malformed",
				    "unknown action or template");
	fingerprint(q, print);
	state_lock();
	op = seen_before(key, print);
	if (op > 0)
		return accepted(q, op);
	if (op < 0) {
		state_unlock();
		return http_problem(q, 422, "idempotency-mismatch",
				    "this key came with another request");
	}
	if (!ve_load(api.db, q->veid, &v)) {
		state_unlock();
		return http_problem(q, 404, "ve-not-found",
				    "there is no VE %" PRIu32, q->veid);
	}
	return act(q, &v, &a, key, print);
}

enum MHD_Result on_operation(struct request *q)
{
	int64_t id = strtoll(q->id, NULL, 10);
	struct buf b = { 0 };
	uint64_t wait = 0;
	bool found, over;

	if (http_argument(q, "wait", WAIT_MAX, &wait) < 0)
		return http_problem(q, 400, "malformed",
				    "wait is 0..%d"
				    " seconds",
				    WAIT_MAX);
	if (!q->deadline)
		q->deadline = clock_mono() + (int64_t)wait * 1000;
	state_lock();
	over = op_ended(id) || clock_mono() >= q->deadline;
	found = over && op_show(id, &b);
	state_unlock();
	if (!over)
		return http_wait(q, TOPIC_OP + (uint64_t)id);
	if (!found)
		return http_problem(q, 404, "not-found",
				    "there is no operation %s", q->id);
	return http_json(q, 200, &b);
}
