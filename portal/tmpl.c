// SPDX-License-Identifier: Apache-2.0
#include "portal/tmpl.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "agent/libve/clean.h"
#include "portal/file.h"
#include "portal/html.h"
#include "portal/tmpl_impl.h"

#define SCOPE_MAX 8
#define PARTIAL_MAX 4 /* partials within partials */

struct tmpl_set {
	struct tmpl *list;
};

struct scope {
	const struct tmpl_set *set;
	struct json_object *at[SCOPE_MAX];
	size_t depth, partials;
	struct buf *out;
};

static const struct tmpl *find(const struct tmpl_set *set, const char *name)
{
	const struct tmpl *t = set->list;

	while (t && strcmp(t->name, name) != 0)
		t = t->next;
	return t;
}

/* Partials are kept under ">name", so that a page may have the same name. */
static int load_one(struct tmpl_set *set, const char *dir, const char *file,
		    const char *prefix, struct err *e)
{
	_free_ char *path = xasprintf("%s/%s", dir, file);
	_buf_ struct buf text = { 0 };
	struct err why = { 0 };
	struct tmpl *t;
	int rc;

	rc = file_read(path, 1 << 20, &text, e);
	if (rc)
		return rc;
	t = xcalloc(1, sizeof(*t));
	t->name = xasprintf("%s%.*s", prefix, (int)(strlen(file) - 5), file);
	t->next = set->list;
	set->list = t;
	rc = tmpl_parse(t, text.data ? text.data : "", &why);
	return rc ? err_set(e, rc, "%s: %s", path, why.text) : 0;
}

static int load_dir(struct tmpl_set *set, const char *dir, const char *sub,
		    const char *prefix, struct err *e)
{
	_free_ char *path = xasprintf("%s/%s", dir, sub);
	DIR *d = opendir(path);
	struct dirent *entry;
	int rc = 0;

	if (!d)
		return err_sys(e, "%s", path);
	while (!rc && (entry = readdir(d))) {
		size_t n = strlen(entry->d_name);

		if (n > 5 && !strcmp(entry->d_name + n - 5, ".html"))
			rc = load_one(set, path, entry->d_name, prefix, e);
	}
	closedir(d);
	return rc;
}

int tmpl_load(struct tmpl_set **out, const char *dir, struct err *e)
{
	struct tmpl_set *set = xcalloc(1, sizeof(*set));
	int rc = load_dir(set, dir, "partials", ">", e);

	if (!rc)
		rc = load_dir(set, dir, "pages", "", e);
	if (rc)
		tmpl_free(set);
	else
		*out = set;
	return rc;
}

void tmpl_free(struct tmpl_set *set)
{
	while (set && set->list) {
		struct tmpl *t = set->list;

		set->list = t->next;
		tmpl_fini(t);
		free(t);
	}
	free(set);
}

/* Walk "a.b" from @from; false when a step is not there. */
static bool walk(struct json_object *from, const char *path,
		 struct json_object **out)
{
	while (path) {
		char key[64];
		const char *dot = strchr(path, '.');
		size_t n = dot ? (size_t)(dot - path) : strlen(path);

		snprintf(key, sizeof(key), "%.*s", (int)n, path);
		if (!json_object_is_type(from, json_type_object) ||
		    !json_object_object_get_ex(from, key, &from))
			return false;
		path = dot ? dot + 1 : NULL;
	}
	*out = from;
	return true;
}

static struct json_object *look_up(const struct scope *s, const char *name)
{
	struct json_object *v = NULL;

	if (!strcmp(name, "."))
		return s->at[s->depth - 1];
	for (size_t i = s->depth; i; i--)
		if (walk(s->at[i - 1], name, &v))
			return v;
	return NULL;
}

static bool truth(struct json_object *v, const char *wanted)
{
	if (wanted)
		return v && !strcmp(json_object_get_string(v), wanted);
	switch (json_object_get_type(v)) {
	case json_type_null:
		return false;
	case json_type_boolean:
		return json_object_get_boolean(v);
	case json_type_array:
		return json_object_array_length(v) > 0;
	case json_type_string:
		return json_object_get_string_len(v) > 0;
	case json_type_int:
		return json_object_get_int64(v) != 0;
	default:
		return true;
	}
}

static void print_time(char *out, size_t size, const char *iso)
{
	struct tm tm = { 0 };

	if (!strptime(iso, "%Y-%m-%dT%H:%M:%S", &tm) ||
	    !strftime(out, size, "%-d %b %Y, %H:%M UTC", &tm))
		snprintf(out, size, "%s", iso);
}

static void print_bytes(char *out, size_t size, int64_t n)
{
	static const char *const unit[] = { "bytes", "KiB", "MiB", "GiB",
					    "TiB" };
	size_t i = 0;
	double v = (double)n;

	for (; v >= 1024 && i + 1 < sizeof(unit) / sizeof(unit[0]); i++)
		v /= 1024;
	snprintf(out, size,
		 v < 10 && v != (double)(int)v ? "%.1f %s" : "%.0f %s", v,
		 unit[i]);
}

static void hole(struct scope *s, const struct tmpl_node *node)
{
	struct json_object *v = look_up(s, node->text);
	const char *text = v ? json_object_get_string(v) : "";
	char made[64];

	if (v && node->filter && !strcmp(node->filter, "time")) {
		print_time(made, sizeof(made), text);
		text = made;
	} else if (v && node->filter && !strcmp(node->filter, "bytes")) {
		print_bytes(made, sizeof(made), json_object_get_int64(v));
		text = made;
	}
	if (node->context == CONTEXT_TEXT)
		html_text(s->out, text);
	else if (node->context == CONTEXT_ATTR)
		html_attr(s->out, text);
	else
		html_url_path(s->out, text);
}

static void render(struct scope *s, const struct tmpl *t, size_t from,
		   size_t to);

static void inside(struct scope *s, const struct tmpl *t, size_t i,
		   struct json_object *v)
{
	if (s->depth == SCOPE_MAX)
		return;
	s->at[s->depth++] = v;
	render(s, t, i + 1, t->nodes[i].end);
	s->depth--;
}

static void section(struct scope *s, const struct tmpl *t, size_t i)
{
	const struct tmpl_node *node = &t->nodes[i];
	struct json_object *v = look_up(s, node->text);
	bool yes = truth(v, node->value);

	if (node->kind == TMPL_INVERTED) {
		if (!yes)
			render(s, t, i + 1, node->end);
	} else if (yes && !node->value &&
		   json_object_is_type(v, json_type_array)) {
		for (size_t k = 0; k < json_object_array_length(v); k++)
			inside(s, t, i, json_object_array_get_idx(v, k));
	} else if (yes) {
		inside(s, t, i, v);
	}
}

static void partial(struct scope *s, const char *name)
{
	_free_ char *key = xasprintf(">%s", name);
	const struct tmpl *t = find(s->set, key);

	if (!t || s->partials == PARTIAL_MAX)
		return;
	s->partials++;
	render(s, t, 0, t->count);
	s->partials--;
}

static void render(struct scope *s, const struct tmpl *t, size_t from,
		   size_t to)
{
	for (size_t i = from; i < to; i++) {
		const struct tmpl_node *node = &t->nodes[i];

		switch (node->kind) {
		case TMPL_TEXT:
			buf_puts(s->out, node->text);
			break;
		case TMPL_HOLE:
			hole(s, node);
			break;
		case TMPL_SECTION:
		case TMPL_INVERTED:
			section(s, t, i);
			i = node->end;
			break;
		case TMPL_PARTIAL:
			partial(s, node->text);
			break;
		case TMPL_END:
			break;
		}
	}
}

int tmpl_render(const struct tmpl_set *set, const char *name,
		struct json_object *data, struct buf *out)
{
	const struct tmpl *t = find(set, name);
	struct scope s = { .set = set, .at = { data }, .depth = 1, .out = out };

	if (!t)
		return -ENOENT;
	render(&s, t, 0, t->count);
	return 0;
}
