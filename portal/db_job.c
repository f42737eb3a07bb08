// SPDX-License-Identifier: Apache-2.0
#include "portal/db_job.h"

#include <json-c/json.h>

int db_drive_list(struct db *db, struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "drive_list", "");
}

int db_job_claim(struct db *db, const char *node, int32_t seconds,
		 struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "job_claim", "ti", node, seconds);
}

int db_job_claim_urgent(struct db *db, const char *node, int32_t seconds,
			struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "job_claim_urgent", "ti", node, seconds);
}

static int take_bool(int rc, struct json_object *v, bool *out)
{
	if (!rc && out)
		*out = json_object_get_boolean(v);
	json_object_put(v);
	return rc;
}

int db_job_keep(struct db *db, const struct job_id *job, int32_t seconds,
		const char *stage, bool *ours, struct err *e)
{
	struct json_object *v = NULL;
	int rc = db_call(db, &v, e, "job_keep", "liit", job->id, job->attempt,
			 seconds, stage);

	return take_bool(rc, v, ours);
}

int db_job_again(struct db *db, const struct job_id *job, int32_t delay_ms,
		 const char *why, bool *ours, struct err *e)
{
	struct json_object *v = NULL;
	int rc = db_call(db, &v, e, "job_again", "liit", job->id, job->attempt,
			 delay_ms, why);

	return take_bool(rc, v, ours);
}

int db_job_finish(struct db *db, const struct job_id *job, const char *why,
		  bool *ours, struct err *e)
{
	struct json_object *v = NULL;
	int rc = db_call(db, &v, e, "job_finish", "lit", job->id, job->attempt,
			 why);

	return take_bool(rc, v, ours);
}

int db_node_fact(struct db *db, const char *node, const char *facts,
		 struct err *e)
{
	return db_call(db, NULL, e, "node_fact", "tt", node, facts);
}

int db_ve_observe(struct db *db, const char *node, const char *items,
		  bool complete, struct err *e)
{
	return db_call(db, NULL, e, "ve_observe", "ttt", node, items,
		       complete ? "true" : "false");
}

int db_usage_due(struct db *db, const char *node, struct json_object **out,
		 struct err *e)
{
	return db_call(db, out, e, "usage_due", "t", node);
}

int db_usage_take(struct db *db, const char *node, uint32_t veid,
		  const char *usage, struct err *e)
{
	return db_call(db, NULL, e, "usage_take", "tit", node, (int32_t)veid,
		       usage);
}

int db_refusal_add(struct db *db, const char *node, int64_t event,
		   const char *data, struct err *e)
{
	return db_call(db, NULL, e, "refusal_add", "tlt", node, event, data);
}

int db_refusal_last(struct db *db, const char *node, struct json_object **out,
		    struct err *e)
{
	return db_call(db, out, e, "refusal_last", "t", node);
}

int db_block_sync(struct db *db, const char *node, const char *boot,
		  int64_t boot_ms, struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "block_sync", "ttl", node, boot, boot_ms);
}

int db_block_renew(struct db *db, int64_t block, struct json_object **out,
		   struct err *e)
{
	return db_call(db, out, e, "block_renew", "l", block);
}

int db_block_report(struct db *db, int64_t block, const char *nonce,
		    const char *leases, const char *released,
		    struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "block_report", "lttt", block, nonce, leases,
		       released);
}

int db_block_spare(struct db *db, const char *node, struct json_object **out,
		   struct err *e)
{
	return db_call(db, out, e, "block_spare", "t", node);
}

int db_block_return(struct db *db, int64_t block, struct err *e)
{
	return db_call(db, NULL, e, "block_return", "l", block);
}

int db_ladder_run(struct db *db, struct err *e)
{
	return db_call(db, NULL, e, "ladder_run", "");
}

int db_queue_run(struct db *db, struct err *e)
{
	return db_call(db, NULL, e, "queue_run", "");
}

int db_trial_run(struct db *db, struct err *e)
{
	return db_call(db, NULL, e, "trial_run", "");
}

int db_sweep_run(struct db *db, struct err *e)
{
	return db_call(db, NULL, e, "sweep_run", "");
}

int db_mail_claim(struct db *db, struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "mail_claim", "");
}

int db_mail_finish(struct db *db, int64_t mail, const char *why, bool final,
		   struct err *e)
{
	return db_call(db, NULL, e, "mail_finish", "ltt", mail, why,
		       final ? "true" : "false");
}

int db_dns_due(struct db *db, const char *zone, int32_t most,
	       struct json_object **out, struct err *e)
{
	return db_call(db, out, e, "dns_due", "ti", zone, most);
}

int db_dns_done(struct db *db, const char *zone, const char *names,
		struct err *e)
{
	return db_call(db, NULL, e, "dns_done", "tt", zone, names);
}

int db_confirm_link(struct db *db, int64_t mail, const uint8_t *confirmation,
		    struct err *e)
{
	return db_call(db, NULL, e, "confirm_link", "lh", mail, confirmation);
}

int db_keep_link(struct db *db, int64_t mail, const uint8_t *keep,
		 struct err *e)
{
	return db_call(db, NULL, e, "keep_link", "lh", mail, keep);
}
