// SPDX-License-Identifier: Apache-2.0
#include "portal/html.h"

#include <stdbool.h>
#include <string.h>

#include "portal/utf8.h"

static const char *entity(unsigned char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	}
	return NULL;
}

static void escape(struct buf *b, const char *text, bool attribute)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s) {
		size_t n = utf8_sequence((const char *)s);
		bool space = *s == '\t' || *s == '\n';

		if (entity(*s))
			buf_puts(b, entity(*s));
		else if (!n || *s == 0x7f || (*s < 0x20 && !space))
			buf_puts(b, "\xef\xbf\xbd");
		else if (attribute && space)
			buf_printf(b, "&#%d;", *s);
		else
			buf_put(b, s, n);
		s += n ? n : 1;
	}
}

void html_text(struct buf *b, const char *s)
{
	escape(b, s, false);
}

void html_attr(struct buf *b, const char *s)
{
	escape(b, s, true);
}

void html_url_path(struct buf *b, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~/";

	for (; *s; s++)
		if (strchr(plain, *s))
			buf_put(b, s, 1);
		else
			buf_printf(b, "%%%02X", (unsigned char)*s);
}
