// SPDX-License-Identifier: Apache-2.0
/* Beancounters of a VE: the table, and new bounds. */
#include "agent/vectl.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "agent/bean.h"
#include "agent/libve/clean.h"
#include "agent/libve/json.h"

static int unreadable(void)
{
	return vectl_fail("the agent's answer is not readable");
}

/* The VE as a tree, the caller's; 0. */
static int fetch(struct vectl *v, const char *path, struct json_object **tree)
{
	struct reply r _reply_ = { 0 };

	if (vectl_get(v, path, &r))
		return 1;
	return json_parse(tree, r.body.data, r.body.len, CLIENT_BODY_MAX,
			  NULL) < 0
		       ? unreadable()
		       : 0;
}

static struct json_object *below(struct json_object *o, const char *name)
{
	struct json_object *sub = NULL;

	if (json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, name, &sub);
	return sub;
}

static int64_t number(struct json_object *o, const char *name)
{
	return json_object_get_int64(below(o, name));
}

static void print_table(uint32_t veid, struct json_object *usage)
{
	char uid[16];

	snprintf(uid, sizeof(uid), "%" PRIu32 ":", veid);
	printf("%10s  %-12s %20s %20s %20s %20s %20s\n", "uid", "resource",
	       "held", "maxheld", "barrier", "limit", "failcnt");
	for (unsigned i = 0; i < BEANS; i++) {
		struct json_object *row =
			bean_name(i) ? below(usage, bean_name(i)) : NULL;

		if (!row)
			continue;
		printf("%10s  %-12s %20" PRId64 " %20" PRId64 " %20" PRId64
		       " %20" PRId64 " %20" PRId64 "\n",
		       uid, bean_name(i), number(row, "held"),
		       number(row, "maxheld"), number(row, "barrier"),
		       number(row, "limit"), number(row, "failcnt"));
		uid[0] = '\0';
	}
}

int vectl_limits(struct vectl *v, int argc, char **argv)
{
	struct json_object *tree _json_ = NULL, *usage;
	char *path _free_ = NULL;
	uint32_t veid;

	if (!vectl_veid(argv[1], &veid))
		return vectl_bad_veid(argv[1]);
	path = xasprintf("/v1/ves/%" PRIu32, veid);
	if (fetch(v, path, &tree))
		return 1;
	usage = below(below(tree, "status"), "usage");
	if (!usage)
		return vectl_fail("nothing is counted for VE %" PRIu32 "\n"
				  "  start it; a kernel without beancounters"
				  " counts nothing",
				  veid);
	if (v->json)
		puts(json_object_to_json_string_ext(usage,
						    JSON_C_TO_STRING_PLAIN));
	else
		print_table(veid, usage);
	return 0;
}

/* The spec's limits with those of @b in place of what they were. */
static int change(struct json_object *spec, const struct beans *b)
{
	struct json_object *limits = below(spec, "limits");

	if (!json_object_is_type(limits, json_type_object))
		return unreadable();
	for (unsigned i = 0; i < BEANS; i++) {
		struct json_object *row;

		if (!bean_is_set(b, i))
			continue;
		row = json_object_new_object();
		json_object_object_add(
			row, "barrier",
			json_object_new_int64((int64_t)b->of[i].barrier));
		json_object_object_add(
			row, "limit",
			json_object_new_int64((int64_t)b->of[i].limit));
		json_object_object_add(limits, bean_name(i), row);
	}
	return 0;
}

/* Nobody else's change is to be undone by ours: the spec must be the one that
 * was read. */
static int store(struct vectl *v, const char *path, struct json_object *spec)
{
	char *match _free_ = xasprintf("If-Match: \"%" PRId64 "-\"",
				       number(spec, "generation"));
	const char *headers[] = { match, NULL };
	const char *body =
		json_object_to_json_string_ext(spec, JSON_C_TO_STRING_PLAIN);
	struct reply r _reply_ = { 0 };

	if (vectl_call(v,
		       &(struct call){ .method = "PUT",
				       .path = path,
				       .headers = headers,
				       .body = body,
				       .len = strlen(body) },
		       &r))
		return 1;
	return vectl_finish(v, &r);
}

int vectl_set(struct vectl *v, int argc, char **argv)
{
	struct json_object *tree _json_ = NULL, *spec;
	char *path _free_ = NULL;
	struct beans b = { 0 };
	struct err e = { 0 };
	uint32_t veid;

	if (!vectl_veid(argv[1], &veid))
		return vectl_bad_veid(argv[1]);
	for (int i = 2; i < argc; i++) {
		if (beans_assign(&b, argv[i], &e) < 0) {
			vectl_fail("%s\n  'vectl limits %" PRIu32
				   "' shows the resources",
				   e.text, veid);
			return 2;
		}
	}
	path = xasprintf("/v1/ves/%" PRIu32, veid);
	if (fetch(v, path, &tree))
		return 1;
	spec = below(tree, "spec");
	return change(spec, &b) ? 1 : store(v, path, spec);
}
