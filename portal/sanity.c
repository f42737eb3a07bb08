// SPDX-License-Identifier: Apache-2.0
#include "portal/sanity.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "portal/fault.h"

static void bad(struct sanity *s, enum fault_id id, const char *why)
{
	err_set(&s->e, fault_code(id), "%s", why);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void sanity_target(struct sanity *s, const char *target)
{
	if (*target != '/' || strlen(target) > SANITY_TARGET_MAX)
		bad(s, FAULT_MALFORMED, "the target is no path");
	for (const char *p = target; *p; p++) {
		int high, low;

		if (*p <= ' ' || *p > '~' || *p == '#' || *p == '\\') {
			bad(s, FAULT_MALFORMED, "the target has foreign bytes");
			return;
		}
		if (*p != '%')
			continue;
		high = hex(p[1]);
		low = high < 0 ? -1 : hex(p[2]);
		if (low < 0 || high * 16 + low < ' ' ||
		    high * 16 + low == 127) {
			bad(s, FAULT_MALFORMED, "the target has a bad escape");
			return;
		}
	}
}

static bool is_token(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) &&
		    !memchr("!#$%&'*+-.^_`|~", s[i], 15))
			return false;
	return n > 0;
}

static bool has_control(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)s[i] < ' ' && s[i] != '\t') || s[i] == 127)
			return true;
	return false;
}

static void take_length(struct sanity *s, const char *value, size_t n)
{
	s->lengths++;
	s->length = 0;
	if (!n || n > 12)
		bad(s, FAULT_MALFORMED, "Content-Length is no number");
	for (size_t i = 0; i < n && i < 12; i++) {
		if (!isdigit((unsigned char)value[i]))
			bad(s, FAULT_MALFORMED, "Content-Length is no number");
		s->length = s->length * 10 + (size_t)(value[i] - '0');
	}
}

void sanity_header(struct sanity *s, const char *name, size_t name_len,
		   const char *value, size_t value_len)
{
	if (!is_token(name, name_len))
		bad(s, FAULT_MALFORMED, "a header's name is malformed");
	else if (has_control(value, value_len))
		bad(s, FAULT_MALFORMED, "a header has control bytes");
	else if (!strcasecmp(name, "content-length"))
		take_length(s, value, value_len);
	else if (!strcasecmp(name, "transfer-encoding"))
		s->encodings++;
	else if (!strcasecmp(name, "host") && s->hosts++ == 0)
		snprintf(s->host, sizeof(s->host), "%.*s", (int)value_len,
			 value);
}

int sanity_end(struct sanity *s, const char *method, const char *version,
	       const char *host)
{
	bool post = !strcmp(method, "POST");

	if (strcmp(version, "HTTP/1.1") != 0)
		bad(s, FAULT_MALFORMED, "only HTTP/1.1 is spoken here");
	if (s->hosts != 1)
		bad(s, FAULT_MALFORMED, "there must be one Host header");
	if (s->lengths > 1)
		bad(s, FAULT_MALFORMED, "there are two Content-Length headers");
	if (s->encodings && s->lengths)
		bad(s, FAULT_MALFORMED,
		    "Content-Length and Transfer-Encoding exclude each other");
	if (s->encodings || (post && !s->lengths))
		bad(s, FAULT_LENGTH, "a body needs a Content-Length here");
	if (strcasecmp(s->host, host) != 0)
		bad(s, FAULT_HOST, "there is no site of this name here");
	return s->e.code;
}
