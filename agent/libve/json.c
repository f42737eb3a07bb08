// SPDX-License-Identifier: Apache-2.0
#include "agent/libve/json.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "agent/libve/json_scan.h"

void json_free(struct json_object **tree)
{
	json_object_put(*tree);
	*tree = NULL;
}

static size_t count_members(struct json_object *o)
{
	size_t n = 0;

	if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, key, value)
		{
			(void)key;
			n += 1 + count_members(value);
		}
	} else if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			n += count_members(json_object_array_get_idx(o, i));
	}
	return n;
}

int json_parse(struct json_object **out, const char *text, size_t len,
	       size_t max, struct err *e)
{
	struct json_tokener *tok;
	struct json_object *tree _json_ = NULL;
	enum json_tokener_error why;
	size_t members;

	*out = NULL;
	if (len > max || len > INT32_MAX)
		return err_set(e, -E2BIG, "JSON text of more than %zu bytes",
			       max);
	if (json_scan(text, len, &members, e) < 0)
		return -EBADMSG;
	tok = json_tokener_new_ex(JSON_DEPTH + 1);
	if (!tok)
		return err_set(e, -ENOMEM, "out of memory");
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT |
					    JSON_TOKENER_VALIDATE_UTF8);
	tree = json_tokener_parse_ex(tok, text, (int)len);
	why = json_tokener_get_error(tok);
	if (!tree && why == json_tokener_continue) {
		/* a bare number or word ends only with the text */
		tree = json_tokener_parse_ex(tok, "", 1);
		why = json_tokener_get_error(tok);
	}
	json_tokener_free(tok);
	if (why != json_tokener_success)
		return err_set(e, -EBADMSG, "JSON text refused: %s",
			       json_tokener_error_desc(why));
	if (count_members(tree) != members)
		return err_set(e, -EBADMSG,
			       "a member stands twice in an object");
	*out = tree;
	tree = NULL;
	return 0;
}

static int read_string(const struct json_field *f, struct json_object *v,
		       char *to, struct err *e)
{
	const char *s = json_object_get_string(v);
	size_t n = (size_t)json_object_get_string_len(v);

	if (!json_object_is_type(v, json_type_string))
		return err_set(e, -EBADMSG, "\"%s\" must be a string", f->name);
	if (n + 1 > f->size || (int64_t)n < f->min || (int64_t)n > f->max)
		return err_set(e, -EBADMSG,
			       "\"%s\" must be %" PRId64 " to %" PRId64
			       " bytes long",
			       f->name, f->min, f->max);
	memcpy(to, s, n + 1);
	return 0;
}

static int read_int(const struct json_field *f, struct json_object *v,
		    int64_t *to, struct err *e)
{
	int64_t i;

	if (!json_object_is_type(v, json_type_int))
		return err_set(e, -EBADMSG, "\"%s\" must be an integer",
			       f->name);
	i = json_object_get_int64(v);
	/* what does not fit is the nearest that does: one further is another */
	if (i < f->min || i > f->max ||
	    (i == INT64_MAX && json_object_get_uint64(v) != INT64_MAX))
		return err_set(e, -EBADMSG,
			       "\"%s\" must be %" PRId64 " to %" PRId64,
			       f->name, f->min, f->max);
	*to = i;
	return 0;
}

static int read_value(const struct json_field *f, struct json_object *v,
		      char *base, bool strict, struct err *e)
{
	char *to = base + f->offset;

	switch (f->kind) {
	case JSON_STRING:
		return read_string(f, v, to, e);
	case JSON_INT:
		return read_int(f, v, (int64_t *)(void *)to, e);
	case JSON_BOOL:
		if (!json_object_is_type(v, json_type_boolean))
			return err_set(e, -EBADMSG,
				       "\"%s\" must be true or false", f->name);
		*(bool *)to = json_object_get_boolean(v);
		return 0;
	case JSON_OBJECT:
		if (!json_object_is_type(v, json_type_object))
			return err_set(e, -EBADMSG, "\"%s\" must be an object",
				       f->name);
		return json_read(v, f->sub, to, strict, e);
	case JSON_TREE:
		*(struct json_object **)(void *)to = v;
		return 0;
	}
	return err_set(e, -EINVAL, "field table of \"%s\" is wrong", f->name);
}

static bool is_named(const struct json_field *fields, const char *key)
{
	for (; fields->name; fields++)
		if (!strcmp(fields->name, key))
			return true;
	return false;
}

static int check_names(const struct json_object *tree,
		       const struct json_field *fields, struct err *e)
{
	json_object_object_foreach(tree, key, value)
	{
		(void)value;
		if (!is_named(fields, key))
			return err_set(e, -EBADMSG, "unknown member \"%.40s\"",
				       key);
	}
	return 0;
}

int json_read(const struct json_object *tree, const struct json_field *fields,
	      void *out, bool strict, struct err *e)
{
	if (!json_object_is_type(tree, json_type_object))
		return err_set(e, -EBADMSG, "an object is expected");
	if (strict && check_names(tree, fields, e) < 0)
		return -EBADMSG;
	for (const struct json_field *f = fields; f->name; f++) {
		struct json_object *v;
		bool there = json_object_object_get_ex(tree, f->name, &v);
		bool null = there && !v;

		if (there && f->seen != JSON_NO_SEEN)
			*(bool *)((char *)out + f->seen) = true;
		if (null && (f->flags & JSON_NULLABLE))
			continue;
		if (!there && !(f->flags & JSON_REQUIRED))
			continue;
		if (!there || null)
			return err_set(e, -EBADMSG, "\"%s\" is %s", f->name,
				       null ? "null" : "missing");
		if (read_value(f, v, out, strict, e) < 0)
			return -EBADMSG;
	}
	return 0;
}

int json_decode(const char *text, size_t len, size_t max,
		const struct json_field *fields, void *out, bool strict,
		struct err *e)
{
	struct json_object *tree _json_ = NULL;
	int r = json_parse(&tree, text, len, max, e);

	return r < 0 ? r : json_read(tree, fields, out, strict, e);
}

size_t json_length(const struct json_object *array)
{
	return json_object_is_type(array, json_type_array)
		       ? json_object_array_length(array)
		       : 0;
}

const struct json_object *json_at(const struct json_object *array, size_t i)
{
	return i < json_length(array) ? json_object_array_get_idx(array, i)
				      : NULL;
}
