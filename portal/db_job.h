/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_DB_JOB_H
#define VE_PORTAL_DB_JOB_H

/* SQL functions of the job daemon. */
#include <stdbool.h>
#include <stdint.h>

#include "portal/db.h"

/* A job in this daemon's hands; attempt says whose it is. */
struct job_id {
	int64_t id;
	int32_t attempt;
};

int db_drive_list(struct db *db, struct json_object **out, struct err *e);
int db_job_claim(struct db *db, const char *node, int32_t seconds,
		 struct json_object **out, struct err *e);
int db_job_claim_urgent(struct db *db, const char *node, int32_t seconds,
			struct json_object **out, struct err *e);
/* These three put whether the job was still ours into @ours (may be NULL). */
int db_job_keep(struct db *db, const struct job_id *job, int32_t seconds,
		const char *stage, bool *ours, struct err *e);
int db_job_again(struct db *db, const struct job_id *job, int32_t delay_ms,
		 const char *why, bool *ours, struct err *e);
/* @why NULL: it went well. */
int db_job_finish(struct db *db, const struct job_id *job, const char *why,
		  bool *ours, struct err *e);
int db_node_fact(struct db *db, const char *node, const char *facts,
		 struct err *e);
int db_ve_observe(struct db *db, const char *node, const char *items,
		  bool complete, struct err *e);
int db_usage_due(struct db *db, const char *node, struct json_object **out,
		 struct err *e);
int db_usage_take(struct db *db, const char *node, uint32_t veid,
		  const char *usage, struct err *e);
int db_refusal_add(struct db *db, const char *node, int64_t event,
		   const char *data, struct err *e);
int db_refusal_last(struct db *db, const char *node, struct json_object **out,
		    struct err *e);
/* @boot NULL: the data base's clock is not looked at. */
int db_block_sync(struct db *db, const char *node, const char *boot,
		  int64_t boot_ms, struct json_object **out, struct err *e);
int db_block_renew(struct db *db, int64_t block, struct json_object **out,
		   struct err *e);
int db_block_report(struct db *db, int64_t block, const char *nonce,
		    const char *leases, const char *released,
		    struct json_object **out, struct err *e);
int db_block_spare(struct db *db, const char *node, struct json_object **out,
		   struct err *e);
int db_block_return(struct db *db, int64_t block, struct err *e);
int db_ladder_run(struct db *db, struct err *e);
int db_queue_run(struct db *db, struct err *e);
int db_trial_run(struct db *db, struct err *e);
int db_sweep_run(struct db *db, struct err *e);
int db_mail_claim(struct db *db, struct json_object **out, struct err *e);
int db_mail_finish(struct db *db, int64_t mail, const char *why, bool final,
		   struct err *e);
int db_dns_due(struct db *db, const char *zone, int32_t most,
	       struct json_object **out, struct err *e);
int db_dns_done(struct db *db, const char *zone, const char *names,
		struct err *e);
int db_confirm_link(struct db *db, int64_t mail, const uint8_t *confirmation,
		    struct err *e);
int db_keep_link(struct db *db, int64_t mail, const uint8_t *keep,
		 struct err *e);

#endif
