// SPDX-License-Identifier: Apache-2.0
#include "portal/url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int url_parse(struct url *u, const char *text, struct err *e)
{
	static const char scheme[] = "https://";
	const char *s = text + sizeof(scheme) - 1, *end, *port;

	if (strncmp(text, scheme, sizeof(scheme) - 1) != 0)
		return err_set(e, -EINVAL, "%s is no https address", text);
	end = *s == '[' ? strchr(++s, ']') : s + strcspn(s, ":");
	if (!end || end == s || (size_t)(end - s) >= sizeof(u->host))
		return err_set(e, -EINVAL, "%s has no host", text);
	snprintf(u->host, sizeof(u->host), "%.*s", (int)(end - s), s);
	port = end + (*end == ']');
	if (*port && (*port != ':' || !port[1] || strlen(port + 1) > 5 ||
		      port[1 + strspn(port + 1, "0123456789")]))
		return err_set(e, -EINVAL, "%s has a bad port", text);
	strcpy(u->port, *port ? port + 1 : "443");
	return 0;
}
