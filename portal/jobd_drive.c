// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "agent/libve/addr.h"
#include "agent/libve/clean.h"
#include "agent/libve/client.h"
#include "agent/libve/fail.h"
#include "agent/libve/json.h"
#include "agent/libve/log.h"
#include "agent/libve/mono.h"
#include "portal/db_job.h"
#include "portal/jobd.h"

#define FACTS_MS 5000
#define LIST_MS \
	2000 /* at least so often, but where a list takes long; what
		      * events are about is looked at when they come */
#define LIST_SHARE 10 /* one part in so many of the time goes into lists */
#define BLOCKS_MS 15000
#define RELEASED_MAX 1000 /* that a node tells of a block at a time */
#define AGAIN_MS 2000 /* after a renewal that went wrong */
#define PAGE_VES 100
#define BOOT_ID 40
#define PAGES_MAX 2000
#define LIST_BYTES (64u << 20) /* of JSON: all VEs of a node */
#define VE_BYTES (64u << 10) /* ... and one of them */

struct drive {
	struct node *node;
	struct db *db;
	struct link link;
	int64_t facts, blocks; /* when last done, milliseconds */
	int64_t list; /* when the next one is due */
	bool away; /* said already that it does not answer */
	bool unsure; /* which nonce it has: the next renewals are told twice */
	bool odd; /* the same of a list that is none */
};

/* GET: 0 when the answer is 200, -ENOENT for 404. */
static int get(struct drive *d, const char *path, struct reply *r)
{
	struct call call = { .method = "GET",
			     .path = path,
			     .timeout_ms = 10000 };
	struct err e = { 0 };
	int rc = client_call(d->link.client, &call, r, &e);

	if (!rc && r->status == 404)
		return -ENOENT; /* gone by now */
	if (!rc && r->status != 200)
		rc = err_set(&e, -EIO, "%s: %ld %s", path, r->status,
			     r->detail);
	if (rc && !d->away)
		log_warn("node %s: %s", d->node->id, e.text);
	d->away = rc != 0;
	return rc;
}

static int take_facts(struct drive *d, struct err *e)
{
	_reply_ struct reply r = { 0 };

	if (get(d, "/v1/node", &r) || !r.body.data)
		return 0;
	return db_node_fact(d->db, d->node->id, r.body.data, e);
}

struct page {
	struct json_object *items;
	int64_t next; /* where the next one begins, 0 for none */
};

static const struct json_field page_fields[] = {
	JSON_ROW_TREE("items", struct page, items, JSON_REQUIRED),
	JSON_ROW_INT("next", struct page, next, 0, 1, INT32_MAX),
	JSON_ROW_END,
};

static const char *plain(struct json_object *o)
{
	return json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
}

/* One more in the array that @all is going to be. */
static void put_item(struct buf *all, struct json_object *item)
{
	buf_puts(all, all->len ? "," : "[");
	buf_puts(all, plain(item));
}

static const char *close_array(struct buf *all)
{
	buf_puts(all, all->len ? "]" : "[]");
	return all->data;
}

/* A page behind those of @all.  @next is where it began and, afterwards, where
 * the next one does. */
static int take_page(struct buf *all, const struct buf *body, int64_t *next,
		     struct err *e)
{
	_json_ struct json_object *tree = NULL;
	struct page page = { 0 };
	int rc = json_parse(&tree, body->data, body->len, CLIENT_BODY_MAX, e);

	if (!rc)
		rc = json_read(tree, page_fields, &page, false, e);
	if (rc)
		return rc;
	if (!json_object_is_type(page.items, json_type_array) ||
	    json_length(page.items) > PAGE_VES)
		return err_set(e, -EBADMSG, "\"items\" is no list of %d",
			       PAGE_VES);
	if (page.next && page.next <= *next)
		return err_set(e, -EBADMSG, "\"next\" does not rise");
	for (size_t i = 0; i < json_length(page.items); i++)
		put_item(all, json_object_array_get_idx(page.items, i));
	*next = page.next;
	return all->len > LIST_BYTES
		       ? err_set(e, -E2BIG, "more than %u bytes", LIST_BYTES)
		       : 0;
}

static bool is_due(int64_t *last, int every)
{
	int64_t now = mono_ms();

	if (*last && now - *last < every)
		return false;
	*last = now;
	return true;
}

static int take_blocks(struct drive *d, struct err *e);

/* Their time does not wait for what is slow. */
static int keep_blocks(struct drive *d, struct err *e)
{
	return is_due(&d->blocks, BLOCKS_MS) ? take_blocks(d, e) : 0;
}

/* All VEs of the node in one array.  0, or not 0 when the node does not answer or
 * its list is refused, of which @e has the words. */
static int collect(struct drive *d, struct buf *all, struct err *e)
{
	int64_t next = 0;

	for (int pages = 0; pages < PAGES_MAX; pages++) {
		_reply_ struct reply r = { 0 };
		struct err other = { 0 };
		char path[64];
		int rc;

		snprintf(path, sizeof(path), "/v1/ves?view=status&limit=%d&after=%lld",
			 PAGE_VES, (long long)next);
		if (get(d, path, &r))
			return 1;
		rc = take_page(all, &r.body, &next, e);
		if (rc || !next)
			return rc;
		keep_blocks(d, &other);
	}
	return err_set(e, -E2BIG, "more than %d pages", PAGES_MAX);
}

static int take_list(struct drive *d, struct err *e)
{
	_buf_ struct buf all = { 0 };
	int64_t begin = mono_ms(), took;
	struct err why = { 0 };
	int rc = collect(d, &all, &why);

	if (why.code && !d->odd)
		log_warn("node %s: its list of VEs is refused: %s", d->node->id,
			 why.text);
	d->odd = why.code != 0;
	rc = rc ? 0
		: db_ve_observe(d->db, d->node->id, close_array(&all), true, e);
	took = LIST_SHARE * (mono_ms() - begin);
	d->list = mono_ms() + (took > LIST_MS ? took : LIST_MS);
	return rc;
}

/* Those that events were about.  One that is not there is seen by the list. */
static int take_some(struct drive *d, const struct changes *c, struct err *e)
{
	_buf_ struct buf some = { 0 };

	for (size_t i = 0; i < c->count && !d->away; i += PAGE_VES) {
		size_t n = c->count - i < PAGE_VES ? c->count - i : PAGE_VES;
		_buf_ struct buf path = { 0 };
		_reply_ struct reply r = { 0 };
		struct err why = { 0 };
		int64_t next = 0;

		buf_puts(&path, "/v1/ves?view=status&ids=");
		for (size_t k = 0; k < n; k++)
			buf_printf(&path, "%s%u", k ? "," : "", c->veid[i + k]);
		if (!get(d, path.data, &r))
			take_page(&some, &r.body, &next, &why);
	}
	return some.len ? db_ve_observe(d->db, d->node->id, close_array(&some),
					false, e)
			: 0;
}

/* What a node says of a block. */
struct told {
	char nonce[129];
	struct json_object *leases, *released;
};

static const struct json_field told_fields[] = {
	JSON_ROW_STRING("nonce", struct told, nonce, JSON_REQUIRED, 0, 128),
	JSON_ROW_TREE("leases", struct told, leases, JSON_REQUIRED),
	JSON_ROW_TREE("released", struct told, released, JSON_REQUIRED),
	JSON_ROW_END,
};

static uint32_t addresses_of(struct json_object *block)
{
	struct json_object *v;
	struct cidr c;

	return json_object_object_get_ex(block, "range", &v) &&
			       !cidr_parse(&c, json_object_get_string(v))
		       ? cidr_count(&c)
		       : 0;
}

/* What it answered to @block; more than it can lend, or tells at a time, is a lie. */
static int read_told(struct json_object **tree, struct told *t,
		     struct json_object *block, const struct buf *body,
		     struct err *e)
{
	int rc = json_parse(tree, body->data, body->len, CLIENT_BODY_MAX, e);

	if (!rc)
		rc = json_read(*tree, told_fields, t, false, e);
	if (!rc && (!json_object_is_type(t->leases, json_type_array) ||
		    !json_object_is_type(t->released, json_type_array)))
		rc = err_set(e, -EBADMSG, "its leases are no list");
	if (!rc && (json_object_array_length(t->leases) > addresses_of(block) ||
		    json_object_array_length(t->released) > RELEASED_MAX))
		rc = err_set(e, -EBADMSG, "its leases are too many");
	return rc;
}

/* A renewal went wrong.  The node counts from the one before, so the next turn
 * would be too late; and what it answered is not known, so that its nonce may be
 * another: it is told twice. */
static void ask_soon(struct drive *d)
{
	d->unsure = true;
	d->blocks = mono_ms() - BLOCKS_MS + AGAIN_MS;
}

/* Tell the node of one renewal and write down what it answers.  1 when it has to
 * be told again: it had no nonce of ours to count from. */
static int tell(struct drive *d, int64_t id, struct json_object *block,
		struct err *e)
{
	char path[64];
	struct call call = { .method = "PUT", .path = path };
	_reply_ struct reply r = { 0 };
	_json_ struct json_object *answer = NULL, *alarms = NULL;
	struct json_object *v;
	struct told t = { 0 };
	bool first = json_object_object_get_ex(block, "nonce", &v) &&
		     !*json_object_get_string(v);
	struct err why = { 0 };
	int rc;

	snprintf(path, sizeof(path), "/v1/blocks/%lld", (long long)id);
	json_object_object_del(block, "id");
	call.body = plain(block);
	call.len = strlen(call.body);
	if (client_call(d->link.client, &call, &r, &why)) {
		ask_soon(d);
		return 0;
	}
	fail_point("block-told");
	if (r.status / 100 != 2)
		err_set(&why, -EIO, "%ld %s", r.status, r.detail);
	else
		read_told(&answer, &t, block, &r.body, &why);
	if (why.code) {
		log_warn("node %s: block %lld: %s", d->node->id, (long long)id,
			 why.text);
		ask_soon(d);
		return 0;
	}
	rc = db_block_report(d->db, id, t.nonce, plain(t.leases),
			     plain(t.released), &alarms, e);
	fail_point("block-reported");
	if (rc)
		ask_soon(d);
	if (json_object_get_int(alarms) > 0)
		log_err("node %s: block %lld: %d leases that another VE has, or"
			" whose VE is gone, were refused: the audit names them"
			" (lease.alarm)",
			d->node->id, (long long)id,
			json_object_get_int(alarms));
	return rc ? rc : first;
}

static int renew(struct drive *d, int64_t id, bool twice, struct err *e)
{
	for (int i = 0; i < 2; i++) {
		struct json_object *block = NULL;
		int rc = db_block_renew(d->db, id, &block, e);

		if (rc || !block)
			return rc;
		fail_point("block-renewed");
		rc = tell(d, id, block, e);
		json_object_put(block);
		if (rc < 0 || (!rc && !twice))
			return rc;
	}
	return 0;
}

/* Give a block back that another node needs more. */
static int give_block(struct drive *d, struct err *e)
{
	struct json_object *v = NULL;
	_reply_ struct reply r = { 0 };
	struct err why = { 0 };
	char path[64];
	struct call call = { .method = "DELETE", .path = path };
	int64_t id;
	int rc = db_block_spare(d->db, d->node->id, &v, e);

	if (rc || !v)
		return rc;
	id = json_object_get_int64(v);
	json_object_put(v);
	snprintf(path, sizeof(path), "/v1/blocks/%lld", (long long)id);
	if (client_call(d->link.client, &call, &r, &why) ||
	    (r.status != 200 && r.status != 404))
		return 0;
	fail_point("block-given");
	log_info("node %s gives block %lld back", d->node->id, (long long)id);
	return db_block_return(d->db, id, e);
}

/* The boot that CLOCK_BOOTTIME counts from; NULL when the kernel does not say. */
static const char *boot_id(char out[static BOOT_ID])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	bool got = f && fgets(out, BOOT_ID, f);

	if (f)
		fclose(f);
	if (!got)
		return NULL;
	out[strcspn(out, "\n")] = '\0';
	return *out ? out : NULL;
}

static int64_t boot_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int take_blocks(struct drive *d, struct err *e)
{
	struct json_object *ids = NULL;
	char boot[BOOT_ID];
	bool twice = d->unsure;
	int rc;

	d->unsure = false;
	if (d->away) {
		ask_soon(d);
		return 0;
	}
	rc = db_block_sync(d->db, d->node->id, boot_id(boot), boot_ms(), &ids,
			   e);
	for (size_t i = 0; !rc && i < json_object_array_length(ids); i++)
		rc = renew(d,
			   json_object_get_int64(
				   json_object_array_get_idx(ids, i)),
			   twice, e);
	json_object_put(ids);
	return rc ? rc : give_block(d, e);
}

/* What one VE uses.  1 when the node does not answer. */
static int take_use(struct drive *d, uint32_t veid, struct err *e)
{
	_json_ struct json_object *ve = NULL;
	struct json_object *status = NULL, *usage = NULL;
	_reply_ struct reply r = { 0 };
	struct err why = { 0 };
	char path[64];
	int rc;

	snprintf(path, sizeof(path), "/v1/ves/%u", veid);
	rc = get(d, path, &r);
	if (rc && rc != -ENOENT)
		return 1;
	if (!rc)
		json_parse(&ve, r.body.data, r.body.len, VE_BYTES, &why);
	json_object_object_get_ex(ve, "status", &status);
	json_object_object_get_ex(status, "usage", &usage);
	return db_usage_take(d->db, d->node->id, veid, plain(usage), e);
}

/* Of those whose minute is over, a few at a time: blocks and states do not wait
 * behind them. */
static int take_usage(struct drive *d, struct err *e)
{
	struct json_object *ids = NULL;
	int rc;

	if (d->away)
		return 0;
	rc = db_usage_due(d->db, d->node->id, &ids, e);
	for (size_t i = 0; !rc && i < json_object_array_length(ids); i++) {
		rc = take_use(d,
			      (uint32_t)json_object_get_int64(
				      json_object_array_get_idx(ids, i)),
			      e);
		if (!rc)
			rc = keep_blocks(d, e);
	}
	json_object_put(ids);
	return rc == 1 ? 0 : rc;
}

/* While the lock is ours. */
static int drive(struct drive *d, struct err *e)
{
	struct changes c = { .all = true };
	int rc = 0;

	while (!rc && !node_is_gone(d->node)) {
		link_renew(&d->link, d->node);
		if (is_due(&d->facts, FACTS_MS))
			rc = take_facts(d, e);
		if (!rc)
			rc = keep_blocks(d, e);
		if (!rc && (c.all || mono_ms() >= d->list))
			rc = take_list(d, e);
		else if (!rc)
			rc = take_some(d, &c, e);
		if (!rc)
			rc = take_usage(d, e);
		/* a storm of events costs five looks a second, no more */
		pause_ms(200);
		node_await(d->node, LIST_MS, &c);
	}
	return rc;
}

void *drive_run(void *arg)
{
	struct node *n = arg;
	_free_ char *name = xasprintf("drive %s", n->id);
	struct drive d = { .node = n,
			   .db = db_create(n->conf->db, "ve-jobd drive"),
			   .unsure = true };

	db_repeats(d.db); /* whatever its node says */
	while (!node_is_gone(n)) {
		struct err e = { 0 };

		if (db_lock(d.db, name, &e) == 1) {
			log_info("driving node %s", n->id);
			d.facts = d.blocks = d.list = 0;
			drive(&d, &e);
		}
		pause_ms(1000);
	}
	db_destroy(d.db);
	link_close(&d.link);
	return NULL;
}
