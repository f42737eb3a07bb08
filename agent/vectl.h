/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_VECTL_H
#define VE_AGENT_VECTL_H

/* The node's command line: a client of ve-agentd over its control socket. */
#include <stdbool.h>
#include <stdint.h>

#include "agent/libve/client.h"

struct vectl {
	const char *socket;
	bool json;
	struct client *client;
};

/* Exit codes: 0 done, 1 refused or failed, 2 usage; exec: the command's own. */

/* vectl_term.c: a terminal in VE @veid, or @command (NULL: none) without. */
int vectl_enter(const struct vectl *v, uint32_t veid);
int vectl_exec(const struct vectl *v, uint32_t veid, char **argv);

/* vectl_limits.c: the table of beancounters; new bounds. */
int vectl_limits(struct vectl *v, int argc, char **argv);
int vectl_set(struct vectl *v, int argc, char **argv);

/* Call; 0 and a reply below 400, or 1 with the words said. */
int vectl_call(struct vectl *v, const struct call *c, struct reply *r);
int vectl_get(struct vectl *v, const char *path, struct reply *r);
/* Wait for the operation that the reply @r names; 0 when it succeeded. */
int vectl_finish(struct vectl *v, struct reply *r);

bool vectl_veid(const char *s, uint32_t *veid);
int vectl_bad_veid(const char *s); /* 2 */

/* Say why on standard error, and what helps; 1. */
int vectl_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
