// SPDX-License-Identifier: Apache-2.0
#include "agent/libve/json.h"

#include <inttypes.h>
#include <string.h>

#include "agent/libve/json_scan.h"

static void quote(struct buf *b, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	const unsigned char *end = s + strlen(text);

	buf_puts(b, "\"");
	while (*s) {
		size_t n = json_utf8(s, (size_t)(end - s));

		if (!n)
			buf_puts(b, "\\ufffd");
		else if (*s == '"' || *s == '\\')
			buf_printf(b, "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f || *s == '<')
			buf_printf(b, "\\u%04x", *s);
		else
			buf_put(b, s, n);
		s += n ? n : 1;
	}
	buf_puts(b, "\"");
}

static void member(struct json_out *o, const char *key)
{
	if (o->comma)
		buf_puts(o->b, ",");
	if (key) {
		quote(o->b, key);
		buf_puts(o->b, ":");
	}
	o->comma = true;
}

void json_open(struct json_out *o, const char *key, char bracket)
{
	member(o, key);
	buf_put(o->b, &bracket, 1);
	o->comma = false;
}

void json_close(struct json_out *o, char bracket)
{
	buf_put(o->b, &bracket, 1);
	o->comma = true;
}

void json_put_string(struct json_out *o, const char *key, const char *value)
{
	member(o, key);
	quote(o->b, value);
}

void json_put_int(struct json_out *o, const char *key, int64_t value)
{
	member(o, key);
	buf_printf(o->b, "%" PRId64, value);
}

void json_put_bool(struct json_out *o, const char *key, bool value)
{
	member(o, key);
	buf_puts(o->b, value ? "true" : "false");
}

void json_put_null(struct json_out *o, const char *key)
{
	member(o, key);
	buf_puts(o->b, "null");
}

void json_put_maybe(struct json_out *o, const char *key, const char *value)
{
	if (value && *value)
		json_put_string(o, key, value);
	else
		json_put_null(o, key);
}

void json_put_raw(struct json_out *o, const char *key, const char *json)
{
	member(o, key);
	buf_puts(o->b, json);
}
