// SPDX-License-Identifier: Apache-2.0
#include "portal/proxy_head.h"

#include <string.h>
#include <strings.h>

#include "agent/libve/clean.h"
#include "portal/fault.h"
#include "portal/sanity.h"

struct line {
	const char *s;
	size_t n, name; /* without the end; length of the header's name */
};

size_t head_length(const char *s, size_t n)
{
	const char *end = n ? memmem(s, n, "\r\n\r\n", 4) : NULL;

	return end ? (size_t)(end - s) + 4 : 0;
}

/* The next line of *@s; false at the empty one. */
static bool next_line(const char **s, const char *end, struct line *l)
{
	const char *stop = memmem(*s, (size_t)(end - *s), "\r\n", 2);
	const char *colon;

	if (!stop || stop == *s)
		return false;
	*l = (struct line){ .s = *s, .n = (size_t)(stop - *s) };
	colon = memchr(l->s, ':', l->n);
	l->name = colon ? (size_t)(colon - l->s) : 0;
	*s = stop + 2;
	return true;
}

static bool is(const struct line *l, const char *name)
{
	return l->name == strlen(name) && !strncasecmp(l->s, name, l->name);
}

static bool is_ours(const struct line *l)
{
	return is(l, "connection") || is(l, "keep-alive") ||
	       is(l, "forwarded") || is(l, "proxy-connection") ||
	       (l->name > 12 && !strncasecmp(l->s, "x-forwarded-", 12));
}

/* HTTP/2 would be requests of which nobody here sees the heads. */
static bool is_http2(const struct line *l)
{
	_free_ char *value =
		xasprintf("%.*s", (int)(l->n - l->name), l->s + l->name);

	return is(l, "upgrade") && strcasestr(value, "h2");
}

static int malformed(struct err *e, const char *why)
{
	return err_set(e, fault_code(FAULT_MALFORMED), "%s", why);
}

/* "GET /path HTTP/1.1": three words of no control bytes, the target a path. */
static int check_request(const struct line *l, struct err *e)
{
	static const char version[] = " HTTP/1.1";
	const char *space = memchr(l->s, ' ', l->n);
	size_t v = sizeof(version) - 1, spaces = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (l->s[i] == ' ')
			spaces++;
		else if ((unsigned char)l->s[i] <= ' ' || l->s[i] == 0x7f)
			return malformed(e, "the first line has control bytes");
	}
	if (spaces != 2 || space == l->s || space[1] != '/' || l->n < v ||
	    memcmp(l->s + l->n - v, version, v) != 0)
		return malformed(e, "only HTTP/1.1 is spoken here");
	return 0;
}

static void take_header(struct sanity *s, const struct line *l)
{
	const char *value = l->s + l->name + 1;
	size_t n = l->n - l->name - 1;
	_free_ char *name = xasprintf("%.*s", (int)l->name, l->s);

	while (n && (*value == ' ' || *value == '\t')) {
		value++;
		n--;
	}
	sanity_header(s, name, l->name, value, n);
}

static int check_host(struct sanity *s, const char *host, struct err *e)
{
	char *colon = strchr(s->host, ':');

	if (s->e.code)
		return err_set(e, s->e.code, "%s", s->e.text);
	if (s->hosts != 1)
		return malformed(e, "there must be one Host header");
	if (s->lengths > 1 || s->encodings > 1 || (s->lengths && s->encodings))
		return malformed(e, "the length of the body can be read in "
				    "two ways");
	if (colon)
		*colon = '\0';
	if (strcasecmp(s->host, host) != 0)
		return err_set(e, fault_code(FAULT_HOST),
			       "there is no site of this name here");
	return 0;
}

static void put_line(struct buf *out, const struct line *l)
{
	buf_put(out, l->s, l->n);
	buf_puts(out, "\r\n");
}

int head_rewrite(struct buf *out, const char *s, size_t n, const char *host,
		 const char *address, bool *upgrade, struct err *e)
{
	const char *end = s + n;
	_buf_ struct buf wish = { 0 };
	struct sanity sane = { 0 };
	struct line l;
	int rc;

	if (!next_line(&s, end, &l))
		return malformed(e, "the request has no first line");
	rc = check_request(&l, e);
	if (rc)
		return rc;
	put_line(out, &l);
	while (next_line(&s, end, &l)) {
		if (!l.name)
			return malformed(e, "a header is malformed");
		take_header(&sane, &l);
		if (!is_ours(&l) && !is_http2(&l))
			put_line(is(&l, "upgrade") ? &wish : out, &l);
	}
	*upgrade = wish.len && !sane.length && !sane.encodings;
	if (*upgrade)
		buf_put(out, wish.data, wish.len);
	buf_printf(out,
		   "Connection: %sclose\r\nX-Forwarded-For: %s\r\n"
		   "X-Forwarded-Proto: https\r\n\r\n",
		   *upgrade ? "Upgrade, " : "", address);
	return check_host(&sane, host, e);
}
