/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_PART_H
#define VE_AGENT_PART_H

/*
 * A part of ve-agentd: its own process, re-executed from the same program with
 * "-P name", so that it has an address space of its own and nothing open but
 * PART_SOCK, its line to the supervisor.
 */
#include "agent/conf.h"

#define PART_SOCK 3

/* The parts' main functions; they end by exit(). */
void priv_main(const struct conf *c) __attribute__((noreturn));
void api_main(const struct conf *c) __attribute__((noreturn));
void term_main(const struct conf *c) __attribute__((noreturn));

/*
 * Become @user (groups, gid, uid), in the root directory @root when not NULL,
 * without a way back.  When the agent does not run as root (development) there
 * is nothing to drop, and a warning says so.  Fails by fatal().
 */
void part_drop(const char *user, const char *root);

/* Wait for any of the supervisor's messages is over: it is gone, so are we. */
void part_orphaned(void) __attribute__((noreturn));

/* The supervisor: supervise.c. */
int supervise(const struct conf *c);

#endif
