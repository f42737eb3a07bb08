/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_KEEP_H
#define VE_AGENT_KEEP_H

/*
 * What the supervisor holds for its parts so that their death loses nothing:
 * descriptors (pty masters, rings, processes) under a key, with a few bytes of
 * the part's own notes.
 */
#include "agent/msg.h"

#define KEEP_MAX 8192 /* entries of one part */

struct keep_entry {
	struct keep_entry *next;
	struct msg_keep msg;
	int fds[MSG_FDS];
	unsigned nfds;
};

struct keep {
	struct keep_entry *all;
	unsigned n;
};

/* Take the descriptors out of @m; an entry of the same key is replaced.
 * -ENOSPC when full (then nothing is taken). */
int keep_put(struct keep *k, struct msg *m);
void keep_drop(struct keep *k, uint64_t key);
struct keep_entry *keep_find(const struct keep *k, uint64_t key);

void keep_fini(struct keep *k);

/* Send everything to a part that starts, then MSG_KEPT_END. */
int keep_replay(const struct keep *k, int sock);

#endif
