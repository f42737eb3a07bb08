// SPDX-License-Identifier: Apache-2.0
#include "portal/tmpl_impl.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "agent/libve/clean.h"
#include "portal/tmpl.h"

#define DEPTH_MAX 16

/* Where the literal text has led to: enough of HTML to know how a hole must be
 * escaped, and to refuse the places where it cannot be. */
struct place {
	enum { IN_TEXT, IN_TAG, IN_ATTR, IN_RAW, IN_COMMENT } in;
	bool naming; /* IN_TAG: the element's name is being read */
	char tag[16]; /* of the element */
	char attr[24]; /* name of the attribute, IN_TAG and IN_ATTR */
	size_t tag_len, attr_len;
};

struct parser {
	struct tmpl *t;
	const char *start, *at;
	struct place place;
	size_t open[DEPTH_MAX], depth;
	struct err *e;
};

static int bad(struct parser *p, const char *what)
{
	int line = 1;

	for (const char *s = p->start; s < p->at; s++)
		line += *s == '\n';
	return err_set(p->e, -EINVAL, "line %d: %s", line, what);
}

static void grow_name(char *name, size_t *len, size_t size, char c)
{
	if (*len + 1 < size)
		name[(*len)++] = (char)tolower((unsigned char)c);
	name[*len] = '\0';
}

static void in_tag(struct place *l, const char *s)
{
	if (*s == '>') {
		bool raw = !strcasecmp(l->tag, "script") ||
			   !strcasecmp(l->tag, "style");

		l->in = raw ? IN_RAW : IN_TEXT;
	} else if (*s == '"') {
		l->in = IN_ATTR;
	} else if (isspace((unsigned char)*s)) {
		l->naming = false;
		l->attr_len = 0;
		l->attr[0] = '\0';
	} else if (l->naming) {
		grow_name(l->tag, &l->tag_len, sizeof(l->tag), *s);
	} else if (*s != '=') {
		grow_name(l->attr, &l->attr_len, sizeof(l->attr), *s);
	}
}

static void step(struct place *l, const char *s)
{
	switch (l->in) {
	case IN_TEXT:
		if (!strncmp(s, "<!--", 4))
			l->in = IN_COMMENT;
		else if (*s == '<')
			*l = (struct place){ .in = IN_TAG, .naming = true };
		break;
	case IN_TAG:
		in_tag(l, s);
		break;
	case IN_ATTR:
		if (*s == '"')
			l->in = IN_TAG;
		break;
	case IN_RAW:
		if (!strncasecmp(s, "</script", 8) ||
		    !strncasecmp(s, "</style", 7))
			*l = (struct place){ .in = IN_TAG, .naming = true };
		break;
	case IN_COMMENT:
		if (!strncmp(s, "-->", 3))
			l->in = IN_TEXT;
		break;
	}
}

static struct tmpl_node *add(struct tmpl *t, enum tmpl_kind kind,
			     const char *text, size_t n)
{
	struct tmpl_node *node;

	t->nodes = xrealloc(t->nodes, (t->count + 1) * sizeof(*t->nodes));
	node = &t->nodes[t->count++];
	*node = (struct tmpl_node){ .kind = kind,
				    .text = xasprintf("%.*s", (int)n, text) };
	return node;
}

/* A hole takes the escaping of its place; a few attributes take none. */
static int place_hole(struct parser *p, struct tmpl_node *node)
{
	static const char *const urls[] = { "href", "action", "src" };
	const struct place *l = &p->place;

	node->context = CONTEXT_TEXT;
	if (l->in == IN_TEXT)
		return 0;
	if (l->in != IN_ATTR)
		return bad(p, "a hole where nothing can be escaped");
	if (!strncmp(l->attr, "on", 2) || !strcmp(l->attr, "style"))
		return bad(p, "a hole in script or style");
	node->context = CONTEXT_ATTR;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		if (!strcmp(l->attr, urls[i]))
			node->context = CONTEXT_URL;
	return 0;
}

static char *split(char *text, char at)
{
	char *s = strchr(text, at);

	if (!s)
		return NULL;
	*s = '\0';
	return xstrdup(s + 1);
}

static int open_section(struct parser *p, struct tmpl_node *node)
{
	if (p->depth == DEPTH_MAX)
		return bad(p, "sections nest too deep");
	node->value = split(node->text, '=');
	p->open[p->depth++] = p->t->count - 1;
	return 0;
}

static int close_section(struct parser *p, const struct tmpl_node *node)
{
	struct tmpl_node *begin;

	if (!p->depth)
		return bad(p, "a section ends that did not begin");
	begin = &p->t->nodes[p->open[--p->depth]];
	if (strcmp(begin->text, node->text) != 0)
		return bad(p, "sections end crosswise");
	begin->end = p->t->count - 1;
	return 0;
}

/* The tag between {{ and }}, of length @n. */
static int take_tag(struct parser *p, const char *s, size_t n)
{
	struct tmpl_node *node;

	if (!n || strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789"
			    "_.-#^/>|=") < n)
		return bad(p, "a hole has no name");
	switch (*s) {
	case '#':
		return open_section(p, add(p->t, TMPL_SECTION, s + 1, n - 1));
	case '^':
		return open_section(p, add(p->t, TMPL_INVERTED, s + 1, n - 1));
	case '/':
		return close_section(p, add(p->t, TMPL_END, s + 1, n - 1));
	case '>':
		add(p->t, TMPL_PARTIAL, s + 1, n - 1);
		return p->place.in == IN_TEXT
			       ? 0
			       : bad(p, "a partial inside a tag");
	}
	node = add(p->t, TMPL_HOLE, s, n);
	node->filter = split(node->text, '|');
	return place_hole(p, node);
}

int tmpl_parse(struct tmpl *t, const char *text, struct err *e)
{
	struct parser p = { .t = t, .start = text, .at = text, .e = e };

	while (*p.at) {
		const char *hole = strstr(p.at, "{{");
		const char *stop = hole ? hole : p.at + strlen(p.at);
		const char *end;
		int rc;

		if (stop > p.at)
			add(t, TMPL_TEXT, p.at, (size_t)(stop - p.at));
		for (; p.at < stop; p.at++)
			step(&p.place, p.at);
		if (!hole)
			break;
		end = strstr(hole, "}}");
		if (!end)
			return bad(&p, "a hole without end");
		rc = take_tag(&p, hole + 2, (size_t)(end - hole - 2));
		if (rc)
			return rc;
		p.at = end + 2;
	}
	return p.depth ? bad(&p, "a section without end") : 0;
}

void tmpl_fini(struct tmpl *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->nodes[i].text);
		free(t->nodes[i].value);
		free(t->nodes[i].filter);
	}
	free(t->nodes);
	free(t->name);
}

int tmpl_check(const char *text, struct err *e)
{
	struct tmpl t = { 0 };
	int rc = tmpl_parse(&t, text, e);

	tmpl_fini(&t);
	return rc;
}
