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

/* Say why on standard error, and what helps; 1. */
int vectl_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
