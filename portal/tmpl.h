/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_TMPL_H
#define VE_PORTAL_TMPL_H

/*
 * Pages with holes, read once from www/pages and www/partials.
 *
 *   {{name}} {{a.b}}       the value, escaped for where it stands: text, a quoted
 *                          attribute, or an address (href, action, src)
 *   {{name|time}}          the same as a person reads it: time, bytes
 *   {{#name}}..{{/name}}   once for each element of an array, once for an object
 *                          or a true value; names are looked up inside first
 *   {{#name=x}}..{{/name}} when the value is x
 *   {{^name}}..{{/name}}   when there is nothing, {{^name=x}} when it is not x
 *   {{>partial}}           another file
 *
 * A hole in a place where no escaping is safe (inside a tag but not in quotes,
 * in script or style) does not load.
 */
#include "agent/libve/buf.h"
#include "agent/libve/err.h"

struct json_object;
struct tmpl;
struct tmpl_set;

/* All *.html of @dir/pages and @dir/partials.  0, or -errno with the file and
 * the place in words. */
int tmpl_load(struct tmpl_set **out, const char *dir, struct err *e);
void tmpl_free(struct tmpl_set *set);

/* Append page @name with the values of @data.  -ENOENT for an unknown page. */
int tmpl_render(const struct tmpl_set *set, const char *name,
		struct json_object *data, struct buf *out);

/* One text, for tests: 0, or -EINVAL with the place in words. */
int tmpl_check(const char *text, struct err *e);

#endif
