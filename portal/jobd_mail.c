// SPDX-License-Identifier: Apache-2.0
/*
 * Letters, in a thread of their own: a mail server that does not answer holds
 * nobody else up.
 */
#include <errno.h>
#include <string.h>

#include <json-c/json.h>

#include "agent/libve/buf.h"
#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "portal/db_job.h"
#include "portal/jobd.h"
#include "portal/mail.h"
#include "portal/token.h"

#define IDLE_MS 500
#define AWAY_MS 5000 /* after a letter that did not go out */

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v)
						     : "";
}

/* The words of a letter, {link} in them replaced by a fresh link.  What is in
 * the link exists here and in the letter; the database gets its hash. */
static int write_body(struct db *db, const struct conf *c,
		      struct json_object *m, int64_t id, struct buf *out,
		      struct err *e)
{
	const char *body = text_of(m, "body"), *hole = strstr(body, "{link}");
	const char *link = text_of(m, "link");
	uint8_t hash[TOKEN_HASH];
	char token[TOKEN_TEXT];

	if (!hole || !*link) {
		buf_puts(out, body);
		return 0;
	}
	token_make(token);
	token_hash(hash, token);
	buf_put(out, body, (size_t)(hole - body));
	buf_printf(out, "%s/%s/%s%s", c->public_url, link, token,
		   hole + strlen("{link}"));
	return strcmp(link, "keep") ? db_confirm_link(db, id, hash, e)
				    : db_keep_link(db, id, hash, e);
}

/* One letter.  0; 1 when there is none; -errno when it did not go out. */
static int send_letter(struct db *db, const struct conf *c)
{
	_buf_ struct buf body = { 0 };
	struct json_object *m = NULL, *v;
	struct err e = { 0 }, why = { 0 };
	int64_t id;
	int rc;

	rc = db_mail_claim(db, &m, &e);
	if (rc || !m)
		return rc ? rc : 1;
	json_object_object_get_ex(m, "id", &v);
	id = json_object_get_int64(v);
	rc = write_body(db, c, m, id, &body, &e);
	if (!rc) {
		rc = mail_send(c->smtp_url, c->mail_from, text_of(m, "to"),
			       text_of(m, "subject"), body.data, &why);
		if (rc)
			log_warn("letter %lld: %s", (long long)id, why.text);
		db_mail_finish(db, id, rc ? why.text : NULL, rc == -ENOENT, &e);
	}
	json_object_put(m);
	return rc;
}

void *mail_run(void *arg)
{
	const struct conf *c = arg;
	struct db *db = db_create(c->db, "ve-jobd mail");

	for (;;) {
		int rc = send_letter(db, c);

		/* one that is refused for good says nothing of the next */
		if (rc && rc != -ENOENT)
			pause_ms(rc > 0 ? IDLE_MS : AWAY_MS);
	}
	return NULL;
}
