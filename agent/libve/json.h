/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_JSON_H
#define VE_LIBVE_JSON_H

/*
 * JSON from strangers and to them.
 *
 * Reading: the text first passes a strict grammar check of our own (json-c
 * alone lets NaN, single quotes, duplicate keys, NUL and raw control characters
 * through), then json-c builds the tree, then a table of fields copies it into
 * a plain struct with every bound checked.  Nothing behind the table sees JSON.
 *
 * Writing: a cursor over a struct buf which puts the commas.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/libve/buf.h"
#include "agent/libve/err.h"

#define JSON_DEPTH 16 /* deepest nesting that is read */

struct json_object;

/*
 * Parse @len bytes at @text, at most @max of them.  0 and a tree in @out that
 * the caller releases with json_free() or _json_; -E2BIG when too long,
 * -EBADMSG when it is not strict JSON, with the place in @e.
 */
int json_parse(struct json_object **out, const char *text, size_t len,
	       size_t max, struct err *e);
void json_free(struct json_object **tree);
#define _json_ __attribute__((cleanup(json_free)))

enum json_kind {
	JSON_STRING, /* char[size] at @offset; @min..@max bytes without the NUL */
	JSON_INT,    /* int64_t at @offset, @min..@max */
	JSON_BOOL,   /* bool at @offset */
	JSON_OBJECT, /* read by @sub into the struct at @offset */
	JSON_TREE,   /* struct json_object *, borrowed from the tree */
};

enum {
	JSON_REQUIRED = 1 << 0, /* must be there */
	JSON_NULLABLE = 1 << 1, /* null counts as not there (seen is set) */
};

#define JSON_NO_SEEN ((size_t)-1)

/* One member.  A table ends with a NULL name. */
struct json_field {
	const char *name;
	enum json_kind kind;
	unsigned flags;
	size_t offset; /* of the value in the struct */
	size_t size;   /* JSON_STRING: room with the NUL */
	int64_t min, max;
	size_t seen;   /* offset of a bool set when the member stood there */
	const struct json_field *sub;
};

/* Rows of such a table.  S is the struct, m its member. */
#define JSON_ROW_STRING(key, S, m, flags, min, max)                \
	{ key, JSON_STRING, flags, offsetof(S, m),                 \
	  sizeof(((S *)0)->m), min, max, JSON_NO_SEEN, NULL }
#define JSON_ROW_INT(key, S, m, flags, min, max)                   \
	{ key, JSON_INT, flags, offsetof(S, m), 0, min, max,       \
	  JSON_NO_SEEN, NULL }
#define JSON_ROW_BOOL(key, S, m, flags)                            \
	{ key, JSON_BOOL, flags, offsetof(S, m), 0, 0, 0, JSON_NO_SEEN, NULL }
#define JSON_ROW_OBJECT(key, S, m, flags, table)                   \
	{ key, JSON_OBJECT, flags, offsetof(S, m), 0, 0, 0,        \
	  JSON_NO_SEEN, table }
#define JSON_ROW_TREE(key, S, m, flags)                            \
	{ key, JSON_TREE, flags, offsetof(S, m), 0, 0, 0, JSON_NO_SEEN, NULL }
#define JSON_ROW_END { NULL, JSON_BOOL, 0, 0, 0, 0, 0, JSON_NO_SEEN, NULL }

/*
 * Copy the object @tree into the struct @out as @fields says; what is not there
 * keeps the value it has.  With @strict a member that the table does not name
 * is an error (requests), without it is skipped (replies, which may grow).
 * 0, or -EBADMSG with the member's name in @e.
 */
int json_read(const struct json_object *tree, const struct json_field *fields,
	      void *out, bool strict, struct err *e);

/* json_parse() and json_read() in one, for texts that hold one object. */
int json_decode(const char *text, size_t len, size_t max,
		const struct json_field *fields, void *out, bool strict,
		struct err *e);

/* Elements of a JSON_TREE that is an array; NULL past the end. */
size_t json_length(const struct json_object *array);
const struct json_object *json_at(const struct json_object *array, size_t i);

/* A writer; { .b = buffer } begins one.  @key is NULL inside an array. */
struct json_out {
	struct buf *b;
	bool comma; /* the next member needs one */
};

void json_open(struct json_out *o, const char *key, char bracket);
void json_close(struct json_out *o, char bracket);
/* A string is written escaped; bytes that are not UTF-8 become U+FFFD. */
void json_put_string(struct json_out *o, const char *key, const char *value);
void json_put_int(struct json_out *o, const char *key, int64_t value);
void json_put_bool(struct json_out *o, const char *key, bool value);
void json_put_null(struct json_out *o, const char *key);
/* A string, or null when @value is NULL or empty. */
void json_put_maybe(struct json_out *o, const char *key, const char *value);
/* Text that is JSON already; the caller answers for it. */
void json_put_raw(struct json_out *o, const char *key, const char *json);

#endif
