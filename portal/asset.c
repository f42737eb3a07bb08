// SPDX-License-Identifier: Apache-2.0
#include "portal/asset.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/libve/clean.h"
#include "portal/file.h"
#include "portal/token.h"

#define ASSET_MAX (2u << 20)

static const char *type_of(const char *name)
{
	static const char *const types[][2] = {
		{ ".css", "text/css; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".mjs", "text/javascript; charset=utf-8" },
		{ ".svg", "image/svg+xml" },
		{ ".png", "image/png" },
		{ ".ico", "image/x-icon" },
		{ ".woff2", "font/woff2" },
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i][0], dot))
			return types[i][1];
	return NULL;
}

static int load_file(struct asset **list, const char *www, const char *path,
		     struct err *e)
{
	_free_ char *full = xasprintf("%s%s", www, path);
	struct asset *a = xcalloc(1, sizeof(*a));
	uint8_t hash[TOKEN_HASH];
	int rc;

	a->path = xstrdup(path);
	a->type = type_of(path);
	a->next = *list;
	*list = a;
	rc = file_read(full, ASSET_MAX, &a->body, e);
	if (rc)
		return rc;
	buf_put(&a->body, "", 0);
	token_hash(hash, a->body.data);
	for (int i = 0; i < 16; i++)
		sprintf(a->etag + 1 + 2 * i, "%02x", hash[i]);
	a->etag[0] = a->etag[33] = '"';
	return 0;
}

static int load_dir(struct asset **list, const char *www, const char *path,
		    int depth, struct err *e)
{
	_free_ char *full = xasprintf("%s%s", www, path);
	DIR *d = opendir(full);
	struct dirent *entry;
	int rc = 0;

	if (!d)
		return err_sys(e, "%s", full);
	while (!rc && (entry = readdir(d))) {
		_free_ char *below = xasprintf("%s/%s", path, entry->d_name);

		if (entry->d_name[0] == '.')
			continue;
		if (type_of(entry->d_name))
			rc = load_file(list, www, below, e);
		else if (depth && entry->d_type == DT_DIR)
			rc = load_dir(list, www, below, depth - 1, e);
	}
	closedir(d);
	return rc;
}

int asset_load(struct asset **out, const char *www, struct err *e)
{
	int rc = load_dir(out, www, "/static", 0, e);

	if (!rc)
		rc = load_dir(out, www, "/vendor", 1, e);
	return rc;
}

void asset_free(struct asset *list)
{
	while (list) {
		struct asset *a = list;

		list = a->next;
		buf_free(&a->body);
		free(a->path);
		free(a);
	}
}

const struct asset *asset_find(const struct asset *list, const char *path)
{
	while (list && strcmp(list->path, path) != 0)
		list = list->next;
	return list;
}
