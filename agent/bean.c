// SPDX-License-Identifier: Apache-2.0
#include "agent/bean.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/libve/clean.h"

static const char *const names[BEANS] = {
#define ROW(number, name) [number] = name,
	BEAN_ROWS(ROW)
};

const char *bean_name(unsigned resource)
{
	return resource < BEANS ? names[resource] : NULL;
}

int bean_find(const char *name)
{
	for (int i = 0; i < BEANS; i++)
		if (names[i] && !strcmp(names[i], name))
			return i;
	return -ENOENT;
}

void bean_set(struct beans *b, unsigned resource, uint64_t barrier,
	      uint64_t limit)
{
	b->set |= 1u << resource;
	b->of[resource] = (struct bean){ barrier, limit };
}

int beans_check(const struct beans *b, struct err *e)
{
	if (b->set >> BEANS)
		return err_set(e, -EINVAL, "there is no resource %d", BEANS);
	for (unsigned i = 0; i < BEANS; i++) {
		const struct bean *x = &b->of[i];

		if (!bean_is_set(b, i))
			continue;
		if (!names[i])
			return err_set(e, -EINVAL, "nothing charges resource %u",
				       i);
		if (x->barrier > BEAN_MAX || x->limit > BEAN_MAX)
			return err_set(e, -EINVAL,
				       "%s: more than %" PRId64
				       ", which is no bound at all",
				       names[i], BEAN_MAX);
		if (x->limit < x->barrier)
			return err_set(e, -EINVAL,
				       "%s: the limit %" PRIu64
				       " is below the barrier %" PRIu64,
				       names[i], x->limit, x->barrier);
	}
	return 0;
}

/* A number or "unlimited" up to @end; false when it is neither. */
static bool take_number(const char **at, char end, uint64_t *out)
{
	static const char word[] = "unlimited";
	size_t n = strcspn(*at, ":");
	char *rest;

	if (n == sizeof(word) - 1 && !strncmp(*at, word, n)) {
		*out = BEAN_MAX;
		rest = (char *)*at + n;
	} else {
		errno = 0;
		*out = strtoull(*at, &rest, 10);
		if (errno || **at < '0' || **at > '9' || *out > BEAN_MAX)
			return false;
	}
	*at = rest;
	return *rest == end || !*rest;
}

int beans_assign(struct beans *b, const char *text, struct err *e)
{
	size_t n = strcspn(text, "=");
	char *name _free_ = xasprintf("%.*s", (int)n, text);
	const char *at = text + n + 1;
	struct bean x;
	int r;

	if (text[n] != '=')
		return err_set(e, -EINVAL,
			       "'%.60s' is not NAME=BARRIER[:LIMIT]", text);
	r = bean_find(name);
	if (r < 0)
		return err_set(e, r, "there is no resource '%.40s'", name);
	if (!take_number(&at, ':', &x.barrier))
		return err_set(e, -EINVAL,
			       "'%.60s': a bound is 0 to %" PRId64
			       " or 'unlimited'",
			       text, BEAN_MAX);
	x.limit = x.barrier;
	if (*at == ':') {
		at++;
		if (!take_number(&at, '\0', &x.limit))
			return err_set(e, -EINVAL,
				       "'%.60s': a bound is 0 to %" PRId64
				       " or 'unlimited'",
				       text, BEAN_MAX);
	}
	bean_set(b, (unsigned)r, x.barrier, x.limit);
	return beans_check(b, e);
}

void beans_print(const struct beans *b, struct buf *out)
{
	const char *space = "";

	for (unsigned i = 0; i < BEANS; i++) {
		if (!bean_is_set(b, i))
			continue;
		buf_printf(out, "%s%s=%" PRIu64 ":%" PRIu64, space, names[i],
			   b->of[i].barrier, b->of[i].limit);
		space = " ";
	}
}

int beans_parse(struct beans *b, const char *text, struct err *e)
{
	char *copy _free_ = xstrdup(text), *rest = copy, *one;

	*b = (struct beans){ 0 };
	while ((one = strsep(&rest, " "))) {
		int r = *one ? beans_assign(b, one, e) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}
