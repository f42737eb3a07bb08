/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_TMPL_IMPL_H
#define VE_PORTAL_TMPL_IMPL_H

/* What the two halves of the templates share: tmpl_parse.c makes nodes of a
 * text, tmpl.c walks them. */
#include <stddef.h>

#include "agent/libve/err.h"

enum tmpl_kind {
	TMPL_TEXT,
	TMPL_HOLE,
	TMPL_SECTION, /* {{#..}} */
	TMPL_INVERTED, /* {{^..}} */
	TMPL_END,
	TMPL_PARTIAL,
};

enum tmpl_context {
	CONTEXT_TEXT,
	CONTEXT_ATTR,
	CONTEXT_URL,
};

struct tmpl_node {
	enum tmpl_kind kind;
	enum tmpl_context context; /* HOLE */
	char *text; /* TEXT; the name of the others */
	char *value; /* of {{#name=value}}, else NULL */
	char *filter; /* of {{name|filter}}, else NULL */
	size_t end; /* SECTION, INVERTED: index of its END */
};

struct tmpl {
	struct tmpl *next;
	char *name;
	struct tmpl_node *nodes;
	size_t count;
};

/* Fill @t from @text.  0, or -EINVAL with the line in @e; t is to be released
 * with tmpl_fini() either way. */
int tmpl_parse(struct tmpl *t, const char *text, struct err *e);
void tmpl_fini(struct tmpl *t);

#endif
