/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_ASSET_H
#define VE_PORTAL_ASSET_H

/* The files below www/static and www/vendor, read once at the start. */
#include "agent/libve/buf.h"
#include "agent/libve/err.h"

struct asset {
	struct asset *next;
	char *path; /* "/static/site.css" */
	const char *type;
	char etag[36]; /* with its quotes */
	struct buf body;
};

/* 0 and a list, or -errno with words. */
int asset_load(struct asset **out, const char *www, struct err *e);
void asset_free(struct asset *list);

/* NULL when there is none. */
const struct asset *asset_find(const struct asset *list, const char *path);

#endif
