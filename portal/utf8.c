// SPDX-License-Identifier: Apache-2.0
#include "portal/utf8.h"

#include <stdint.h>

static size_t length(unsigned char c)
{
	if (c < 0x80)
		return c ? 1 : 0;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if ((c & 0xf0) == 0xe0)
		return 3;
	return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

size_t utf8_sequence(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = length(s[0]);
	uint32_t c;

	if (n < 2)
		return n;
	c = s[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if ((n == 3 && (c < 0x800 || (c >= 0xd800 && c <= 0xdfff))) ||
	    (n == 4 && (c < 0x10000 || c > 0x10ffff)))
		return 0;
	return n;
}

bool utf8_is_clean(const char *s)
{
	while (*s) {
		size_t n = utf8_sequence(s);
		unsigned char a = (unsigned char)s[0];

		if (!n || a < 0x20 || a == 0x7f)
			return false;
		if (a == 0xc2 && (unsigned char)s[1] < 0xa0)
			return false;
		s += n;
	}
	return true;
}
