// SPDX-License-Identifier: Apache-2.0
/*
 * Names in the provider's DNS server, in a thread of their own.  The database
 * knows what each name should say and what the server was told last; one of all
 * daemons tells it the difference.
 */
#include <string.h>

#include <json-c/json.h>

#include "agent/libve/buf.h"
#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "portal/db_job.h"
#include "portal/dns.h"
#include "portal/file.h"
#include "portal/jobd.h"

#define LOOK_MS 1000
#define AWAY_MS 5000 /* after the server did not take it */

/* An address that a lease is over for is in a cache no longer than this, which is
 * less than the quarantine before somebody else has it. */
#define TTL_S 30

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) && v
		       ? json_object_get_string(v)
		       : NULL;
}

static void read_key(struct dns_key *k, const struct conf *c)
{
	_buf_ struct buf text = { 0 };
	struct err e = { 0 };

	if (file_read(c->dns_key, 4096, &text, &e) ||
	    dns_key_parse(k, text.data ? text.data : "", &e))
		fatal("dns_key %s: %s", c->dns_key, e.text);
}

/* Tell the server of all in @due.  0, or -errno. */
static int tell(const struct dns_server *s, struct json_object *due,
		struct err *e)
{
	struct dns_change changes[DNS_CHANGES_MAX];
	size_t n = json_object_array_length(due);

	for (size_t i = 0; i < n && i < DNS_CHANGES_MAX; i++) {
		struct json_object *o = json_object_array_get_idx(due, i);

		changes[i] = (struct dns_change){ text_of(o, "name"),
						  text_of(o, "ipv4"),
						  text_of(o, "ipv6") };
	}
	return dns_update(s, changes, n < DNS_CHANGES_MAX ? n : DNS_CHANGES_MAX,
			  e);
}

/* One round: how long to wait before the next; -1 when the database is gone. */
static int round_of(const struct dns_server *s, struct db *db, bool *away)
{
	struct json_object *due = NULL;
	struct err e = { 0 };
	int wait = LOOK_MS;
	int rc = db_dns_due(db, s->zone, dns_room(s->zone), &due, &e);

	if (rc)
		return -1;
	if (json_object_array_length(due)) {
		rc = tell(s, due, &e);
		if (!rc)
			rc = db_dns_done(db, s->zone,
					 json_object_to_json_string_ext(
						 due, JSON_C_TO_STRING_PLAIN),
					 &e);
		if (rc && !*away)
			log_warn("names are not told to %s: %s", s->at, e.text);
		if (!rc && *away)
			log_info("names are told to %s again", s->at);
		*away = rc != 0;
		wait = rc ? AWAY_MS : 0;
	}
	json_object_put(due);
	return wait;
}

void *dns_run(void *arg)
{
	const struct conf *c = arg;
	struct db *db = db_create(c->db, "ve-jobd dns");
	struct dns_key key = { 0 };
	const struct dns_server s = { .at = c->dns_server,
				      .zone = c->dns_zone,
				      .key = &key,
				      .ttl = TTL_S };
	bool away = false;

	read_key(&key, c);
	for (;;) {
		struct err e = { 0 };

		int wait;

		/* held, it lasts as long as the connection */
		if (db_lock(db, "dns", &e) == 1)
			while ((wait = round_of(&s, db, &away)) >= 0)
				pause_ms(wait);
		pause_ms(LOOK_MS);
	}
	return NULL;
}
