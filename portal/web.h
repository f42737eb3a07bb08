/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_WEB_H
#define VE_PORTAL_WEB_H

/*
 * The part "web": libmicrohttpd in plain mode, fed with connections that the
 * part "front" has taken the TLS off.  It has the database and no TLS key.
 */
#include <stdbool.h>

#include "agent/libve/err.h"
#include "portal/conf.h"

struct asset;
struct line;
struct relays;
struct tmpl_set;
struct web;
struct workers;

/* What does not change between requests. */
struct web_site {
	char origin[160]; /* "https://host:port" */
	const char *host; /* in it: "host:port" */
	const char *ssh_host, *ssh_port;
	const char *domain; /* of the VEs' names, or NULL */
	bool is_local; /* a name that is not known to the world */
	struct tmpl_set *pages;
	struct asset *assets;
	struct workers *workers;
	struct relays *relays;
	struct line *line;
};

const struct web_site *web_site(const struct web *w);

/* Runs until the channel to the front closes; never returns then.  New
 * certificates come by @certs.  A negative code with words when it cannot
 * begin. */
int web_run(const struct conf *c, int channel, int certs, struct err *e);

#endif
