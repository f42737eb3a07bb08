/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_URL_H
#define VE_PORTAL_URL_H

#include "agent/libve/err.h"

/* An agent's address, "https://host[:port]" or "https://[v6][:port]". */
struct url {
	char host[128], port[8];
};

/* 0 or -EINVAL. */
int url_parse(struct url *u, const char *text, struct err *e);

#endif
