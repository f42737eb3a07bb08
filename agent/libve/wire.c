// SPDX-License-Identifier: Apache-2.0
#include "agent/libve/wire.h"

#include <errno.h>
#include <stdbool.h>

/*
 * What a message is made of behind its type byte: letters for the fixed part,
 * '*' for the bytes that follow.  The table is the format: both directions of
 * the code walk it.
 */
static const struct shape {
	enum term_type type;
	enum term_from from;
	const char *parts;
} shapes[] = {
	/* clang-format off */
	{ TERM_HELLO,	 TERM_FROM_SERVER, "vklhcr*" },
	{ TERM_DATA,	 TERM_FROM_SERVER, "l*" },
	{ TERM_SNAPSHOT, TERM_FROM_SERVER, "l*" },
	{ TERM_STDERR,	 TERM_FROM_SERVER, "*" },
	{ TERM_EXIT,	 TERM_FROM_SERVER, "x" },
	{ TERM_NOTICE,	 TERM_FROM_SERVER, "ns*" },
	{ TERM_PONG,	 TERM_FROM_SERVER, "t" },
	{ TERM_AUTH,	 TERM_FROM_CLIENT, "*" },
	{ TERM_INPUT,	 TERM_FROM_CLIENT, "*" },
	{ TERM_RESIZE,	 TERM_FROM_CLIENT, "cr" },
	{ TERM_ACK,	 TERM_FROM_CLIENT, "l" },
	{ TERM_PING,	 TERM_FROM_CLIENT, "t" },
	{ TERM_EOF,	 TERM_FROM_CLIENT, "" },
	/* clang-format on */
};

static const struct shape *shape_of(uint8_t type)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (shapes[i].type == type)
			return &shapes[i];
	return NULL;
}

static size_t part_size(char part)
{
	switch (part) {
	case 'v':
	case 'k':
		return 1;
	case 'c':
	case 'r':
	case 'n':
		return 2;
	case 's':
	case 'x':
		return 4;
	default:
		return 8;
	}
}

static void part_store(struct term_msg *m, char part, uint64_t v)
{
	switch (part) {
	case 'v':
		m->version = (uint8_t)v;
		break;
	case 'k':
		m->kind = (uint8_t)v;
		break;
	case 'c':
		m->cols = (uint16_t)v;
		break;
	case 'r':
		m->rows = (uint16_t)v;
		break;
	case 'n':
		m->code = (uint16_t)v;
		break;
	case 's':
		m->seconds = (uint32_t)v;
		break;
	case 'x':
		m->status = (uint32_t)v;
		break;
	case 'l':
		m->seq = v;
		break;
	case 'h':
		m->seq_hi = v;
		break;
	default:
		m->stamp = v;
		break;
	}
}

static uint64_t part_load(const struct term_msg *m, char part)
{
	switch (part) {
	case 'v':
		return m->version;
	case 'k':
		return m->kind;
	case 'c':
		return m->cols;
	case 'r':
		return m->rows;
	case 'n':
		return m->code;
	case 's':
		return m->seconds;
	case 'x':
		return m->status;
	case 'l':
		return m->seq;
	case 'h':
		return m->seq_hi;
	default:
		return m->stamp;
	}
}

static bool size_ok(uint16_t v)
{
	return v >= 1 && v <= TERM_SIZE_MAX;
}

static bool values_ok(const struct term_msg *m)
{
	switch (m->type) {
	case TERM_HELLO:
		return m->version == 1 && m->kind <= TERM_EXEC &&
		       size_ok(m->cols) && size_ok(m->rows) &&
		       m->seq <= m->seq_hi && m->len <= TERM_NAME_MAX;
	case TERM_RESIZE:
		return size_ok(m->cols) && size_ok(m->rows);
	case TERM_EXIT:
		return m->status <= 255;
	default:
		return true;
	}
}

int term_decode(struct term_msg *m, enum term_from from, const void *p,
		size_t n)
{
	const uint8_t *b = p, *end = b + n;
	const struct shape *s;

	*m = (struct term_msg){ 0 };
	if (n > TERM_MSG_MAX)
		return -EMSGSIZE;
	s = n ? shape_of(*b) : NULL;
	if (!s || s->from != from)
		return -EBADMSG;
	m->type = *b++;
	for (const char *part = s->parts; *part; part++) {
		size_t size = part_size(*part);
		uint64_t v = 0;

		if (*part == '*') {
			m->data = b;
			m->len = (size_t)(end - b);
			b = end;
			break;
		}
		if ((size_t)(end - b) < size)
			return -EBADMSG;
		while (size--)
			v = v << 8 | *b++;
		part_store(m, *part, v);
	}
	if (m->len > TERM_DATA_MAX)
		return -EMSGSIZE;
	return b == end && values_ok(m) ? 0 : -EBADMSG;
}

void term_encode(struct buf *out, const struct term_msg *m)
{
	const struct shape *s = shape_of(m->type);

	if (!s)
		return;
	buf_put(out, &m->type, 1);
	for (const char *part = s->parts; *part; part++) {
		uint64_t v;

		if (*part == '*') {
			buf_put(out, m->data, m->len);
			break;
		}
		v = part_load(m, *part);
		for (size_t i = part_size(*part); i-- > 0;) {
			uint8_t byte = (uint8_t)(v >> 8 * i);

			buf_put(out, &byte, 1);
		}
	}
}
