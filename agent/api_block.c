// SPDX-License-Identifier: Apache-2.0
#include "agent/handlers.h"

#include <errno.h>
#include <string.h>

#include "agent/api.h"
#include "agent/db.h"
#include "agent/lease.h"
#include "agent/libve/fail.h"

static const struct json_field block_fields[] = {
	JSON_ROW_STRING("range", struct block_put, range, JSON_REQUIRED, 9, 18),
	JSON_ROW_INT("term_ms", struct block_put, term_ms, JSON_REQUIRED, 1000,
		     3600000),
	JSON_ROW_STRING("nonce", struct block_put, nonce, JSON_REQUIRED, 0, 32),
	JSON_ROW_INT("acked_epoch", struct block_put, acked_epoch, 0, 0,
		     INT64_MAX),
	JSON_ROW_END,
};

/* The block as reply.  With the lock held, which is released. */
static enum MHD_Result show(struct request *q)
{
	struct buf b = { 0 };
	struct json_out o = { .b = &b };

	json_open(&o, NULL, '{');
	lease_block_show(api.db, q->id, clock_boot(), &o);
	json_close(&o, '}');
	state_unlock();
	clock_poke();
	return http_json(q, 200, &b);
}

enum MHD_Result on_block_put(struct request *q)
{
	struct block_put b = { .acked_epoch = -1 };
	struct err e = { 0 };
	int r;

	if (json_decode(q->body.data ? q->body.data : "", q->body.len, BODY_MAX,
			block_fields, &b, true, &e) < 0)
		return http_problem(q, 400, "malformed", "%s", e.text);
	state_lock();
	r = lease_block_put(api.db, q->id, &b, clock_boot(), &e);
	fail_point("renew-written");
	if (r >= 0)
		return show(q);
	state_unlock();
	if (r == -EINVAL)
		return http_problem(q, 422, "malformed", "%s", e.text);
	if (r == -EBUSY)
		return http_problem(q, 409, "ve-busy", "%s", e.text);
	return http_problem(q, 507, "capacity-exhausted",
			    "the node cannot write its state");
}

enum MHD_Result on_block_delete(struct request *q)
{
	state_lock();
	if (lease_block_end(api.db, q->id) == 0)
		return show(q);
	state_unlock();
	return http_problem(q, 404, "not-found", "there is no block %s", q->id);
}
