/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_SANDBOX_H
#define VE_AGENT_SANDBOX_H

/*
 * System calls that a part may make; any other ends the process.  Entered after
 * everything was opened, before the first byte of a stranger is read (of api,
 * for priv).
 */
enum sandbox_kind {
	SANDBOX_PRIV,
	SANDBOX_API,
	SANDBOX_TERM,
};

/* Sets no_new_privs too.  Fails by fatal(). */
void sandbox_enter(enum sandbox_kind kind);

#endif
