// SPDX-License-Identifier: Apache-2.0
#include "agent/libve/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned width(const struct addr *a)
{
	return a->family == 4 ? 32 : 128;
}

int addr_parse(struct addr *a, const char *text)
{
	*a = (struct addr){ 0 };
	if (inet_pton(AF_INET, text, a->bytes) == 1)
		a->family = 4;
	else if (inet_pton(AF_INET6, text, a->bytes) == 1)
		a->family = 6;
	else
		return -EINVAL;
	return 0;
}

const char *addr_print(char out[static ADDR_TEXT], const struct addr *a)
{
	int af = a->family == 4 ? AF_INET : AF_INET6;

	if (!a->family || !inet_ntop(af, a->bytes, out, ADDR_TEXT))
		out[0] = '\0';
	return out;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family &&
	       !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* Clear every bit behind the first @bits. */
static struct addr masked(const struct addr *a, unsigned bits)
{
	struct addr m = *a;

	for (unsigned i = 0; i < width(a) / 8; i++) {
		unsigned keep = bits >= 8 * (i + 1) ? 8
				: bits <= 8 * i	    ? 0
						    : bits - 8 * i;

		m.bytes[i] &= (uint8_t)(0xff00 >> keep);
	}
	return m;
}

static bool is_padded(const struct addr *a)
{
	for (unsigned i = width(a) / 8; i < sizeof(a->bytes); i++)
		if (a->bytes[i])
			return false;
	return true;
}

bool addr_is_host(const struct addr *a)
{
	const uint8_t *b = a->bytes;

	if (a->family == 4)
		return is_padded(a) && b[0] != 0 && b[0] != 127 && b[0] < 224 &&
		       !(b[0] == 169 && b[1] == 254);
	/* 2000::/3, fc00::/7 */
	return a->family == 6 && (b[0] >> 5 == 1 || b[0] >> 1 == 0x7e);
}

bool cidr_is_block(const struct cidr *c)
{
	/* what is no host's are ranges of /16 and more: the base tells */
	return addr_is_host(&c->base) && c->base.family == 4 &&
	       c->bits >= BLOCK_BITS && c->bits <= 32 &&
	       cidr_contains(c, &c->base);
}

int cidr_parse(struct cidr *c, const char *text)
{
	const char *slash = strchr(text, '/');
	char head[ADDR_TEXT];
	struct addr m;
	char *end;
	unsigned long bits;

	*c = (struct cidr){ 0 };
	if (!slash || (size_t)(slash - text) >= sizeof(head))
		return -EINVAL;
	memcpy(head, text, (size_t)(slash - text));
	head[slash - text] = '\0';
	if (addr_parse(&c->base, head) < 0)
		return -EINVAL;
	if (slash[1] < '0' || slash[1] > '9' || (slash[1] == '0' && slash[2]))
		return -EINVAL;
	bits = strtoul(slash + 1, &end, 10);
	if (*end || bits > width(&c->base))
		return -EINVAL;
	m = masked(&c->base, (unsigned)bits);
	if (!addr_equal(&m, &c->base))
		return -EINVAL;
	c->bits = (uint8_t)bits;
	return 0;
}

const char *cidr_print(char out[static CIDR_TEXT], const struct cidr *c)
{
	char a[ADDR_TEXT];

	snprintf(out, CIDR_TEXT, "%s/%u", addr_print(a, &c->base), c->bits);
	return out;
}

bool cidr_contains(const struct cidr *c, const struct addr *a)
{
	struct addr m;

	if (!c->base.family || c->base.family != a->family)
		return false;
	m = masked(a, c->bits);
	return addr_equal(&m, &c->base);
}

bool cidr_overlaps(const struct cidr *a, const struct cidr *b)
{
	return cidr_contains(a, &b->base) || cidr_contains(b, &a->base);
}

uint32_t cidr_count(const struct cidr *c)
{
	unsigned host = width(&c->base) - c->bits;

	return host >= 32 ? UINT32_MAX : (uint32_t)1 << host;
}

int cidr_nth(const struct cidr *c, uint32_t n, struct addr *out)
{
	unsigned carry = 0;

	if (n >= cidr_count(c))
		return -ERANGE;
	*out = c->base;
	for (unsigned i = width(&c->base) / 8; i-- > 0; n >>= 8) {
		unsigned sum = out->bytes[i] + (n & 0xff) + carry;

		out->bytes[i] = (uint8_t)sum;
		carry = sum >> 8;
	}
	return 0;
}
