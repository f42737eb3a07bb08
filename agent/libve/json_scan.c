// SPDX-License-Identifier: Apache-2.0
#include "agent/libve/json_scan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/libve/json.h"

struct scan {
	const char *start, *p, *end;
	size_t members;
	int depth;
	struct err *e;
};

static bool scan_value(struct scan *s);

size_t json_utf8(const unsigned char *s, size_t max)
{
	size_t n = s[0] < 0x80	 ? 1
		   : s[0] < 0xc2 ? 0
		   : s[0] < 0xe0 ? 2
		   : s[0] < 0xf0 ? 3
		   : s[0] < 0xf5 ? 4
				 : 0;

	if (n > max)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if (n == 3 &&
	    ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)))
		return 0;
	if (n == 4 &&
	    ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)))
		return 0;
	return n;
}

static bool bad(struct scan *s, const char *what)
{
	err_set(s->e, -EBADMSG, "%s at byte %zu of the JSON text", what,
		(size_t)(s->p - s->start));
	return false;
}

static void skip_space(struct scan *s)
{
	while (s->p < s->end && strchr(" \t\r\n", *s->p) && *s->p)
		s->p++;
}

static bool at(const struct scan *s, char c)
{
	return s->p < s->end && *s->p == c;
}

static bool take(struct scan *s, char c)
{
	if (!at(s, c))
		return false;
	s->p++;
	return true;
}

static bool is_digit(const struct scan *s)
{
	return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Four hex digits behind "\u"; -1 when they are not. */
static long scan_unit(struct scan *s)
{
	long v = 0;

	if (s->end - s->p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int d = hex_digit(*s->p++);

		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

static bool scan_unicode(struct scan *s)
{
	long v = scan_unit(s);

	if (v <= 0)
		return bad(s, v ? "broken \\u escape" : "\\u0000");
	if (v >= 0xdc00 && v <= 0xdfff)
		return bad(s, "lone surrogate");
	if (v < 0xd800 || v > 0xdbff)
		return true;
	if (!take(s, '\\') || !take(s, 'u'))
		return bad(s, "lone surrogate");
	v = scan_unit(s);
	if (v < 0xdc00 || v > 0xdfff)
		return bad(s, "lone surrogate");
	return true;
}

static bool scan_string(struct scan *s)
{
	if (!take(s, '"'))
		return bad(s, "string expected");
	while (s->p < s->end && *s->p != '"') {
		size_t n = json_utf8((const unsigned char *)s->p,
				     (size_t)(s->end - s->p));
		unsigned char c = (unsigned char)*s->p;

		if (c < 0x20 || c == 0x7f)
			return bad(s, "control character in a string");
		if (!n)
			return bad(s, "broken UTF-8");
		s->p += n;
		if (c != '\\')
			continue;
		if (s->p == s->end || !*s->p || !strchr("\"\\/bfnrtu", *s->p))
			return bad(s, "unknown escape");
		if (*s->p++ == 'u' && !scan_unicode(s))
			return false;
	}
	return take(s, '"') || bad(s, "unfinished string");
}

static bool digits(struct scan *s)
{
	if (!is_digit(s))
		return bad(s, "digit expected");
	while (is_digit(s))
		s->p++;
	return true;
}

static bool scan_number(struct scan *s)
{
	const char *from = s->p;
	bool whole = true;
	char text[32];

	take(s, '-');
	if (!take(s, '0') && !digits(s))
		return false;
	if (take(s, '.')) {
		whole = false;
		if (!digits(s))
			return false;
	}
	if (at(s, 'e') || at(s, 'E')) {
		whole = false;
		s->p++;
		if (at(s, '+') || at(s, '-'))
			s->p++;
		if (!digits(s))
			return false;
	}
	if (s->p - from >= (ptrdiff_t)sizeof(text))
		return bad(s, "number too long");
	memcpy(text, from, (size_t)(s->p - from));
	text[s->p - from] = '\0';
	errno = 0;
	if (whole && (strtoll(text, NULL, 10), errno == ERANGE))
		return bad(s, "integer out of range");
	return true;
}

static bool scan_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n))
		return bad(s, "unknown word");
	s->p += n;
	return true;
}

static bool scan_array(struct scan *s)
{
	s->p++;
	skip_space(s);
	if (take(s, ']'))
		return true;
	for (;;) {
		if (!scan_value(s))
			return false;
		if (take(s, ']'))
			return true;
		if (!take(s, ','))
			return bad(s, "',' or ']' expected");
	}
}

static bool scan_object(struct scan *s)
{
	s->p++;
	skip_space(s);
	if (take(s, '}'))
		return true;
	for (;;) {
		skip_space(s);
		if (!scan_string(s))
			return false;
		s->members++;
		skip_space(s);
		if (!take(s, ':'))
			return bad(s, "':' expected");
		if (!scan_value(s))
			return false;
		if (take(s, '}'))
			return true;
		if (!take(s, ','))
			return bad(s, "',' or '}' expected");
	}
}

/* One value and the white space around it. */
static bool scan_value(struct scan *s)
{
	bool ok;

	if (++s->depth > JSON_DEPTH)
		return bad(s, "nested too deep");
	skip_space(s);
	if (at(s, '{'))
		ok = scan_object(s);
	else if (at(s, '['))
		ok = scan_array(s);
	else if (at(s, '"'))
		ok = scan_string(s);
	else if (at(s, 't'))
		ok = scan_word(s, "true");
	else if (at(s, 'f'))
		ok = scan_word(s, "false");
	else if (at(s, 'n'))
		ok = scan_word(s, "null");
	else if (at(s, '-') || is_digit(s))
		ok = scan_number(s);
	else
		ok = bad(s, "value expected");
	skip_space(s);
	s->depth--;
	return ok;
}

int json_scan(const char *text, size_t len, size_t *members, struct err *e)
{
	struct scan s = { .start = text, .p = text, .end = text + len, .e = e };

	if (!scan_value(&s))
		return -EBADMSG;
	if (s.p != s.end) {
		bad(&s, "something behind the value");
		return -EBADMSG;
	}
	*members = s.members;
	return 0;
}
