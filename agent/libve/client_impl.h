/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_CLIENT_IMPL_H
#define VE_LIBVE_CLIENT_IMPL_H

/* What client.c and client_sse.c share. */
#include <curl/curl.h>

#include "agent/libve/client.h"

struct client {
	CURL *curl;
	char *base, *ca, *cert, *key, *node, *unix_path;
	char why[CURL_ERROR_SIZE];
};

/* Set the handle up for @path.  0 or -EINVAL. */
int client_prepare(struct client *c, const char *path, struct err *e);

/* Put what libcurl said into @e; the matching -errno. */
int client_failed(struct client *c, CURLcode code, struct err *e);

#endif
