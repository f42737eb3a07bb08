/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_SANDBOX_H
#define VE_PORTAL_SANDBOX_H

/* What a part gives up before it reads a stranger's first byte. */
#include "agent/libve/err.h"

enum sandbox_kind {
	SANDBOX_FRONT,
	SANDBOX_WEB,
};

/* As root: become @user, without other groups and capabilities; NULL: stay uid 0
 * but without any capability (development).  As anybody else: nothing to lose. */
int sandbox_drop(const char *user, struct err *e);

/* no_new_privs, no core, no ptrace, and the system calls of the kind alone:
 * another one ends the process. */
int sandbox_enter(enum sandbox_kind kind, struct err *e);

#endif
