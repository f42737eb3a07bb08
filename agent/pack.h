/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_PACK_H
#define VE_AGENT_PACK_H

/*
 * [priv] A private tree as one compressed file, and back: names, contents with
 * their holes, owners, modes, times, hard links, devices, extended attributes of
 * files and directories.  The tree was written by a stranger: it is walked by
 * descriptors, never through a link, never across a mount.  A pack holds single
 * names, never paths.
 */
#include "agent/libve/err.h"

/* What stands below @dir (and @dir's own attributes) into @out; the descriptors
 * stay the caller's. */
int pack_write(int dir, int out, struct err *e);

/* The pack at @in into @dir, which is empty; -EBADMSG when it is damaged. */
int pack_read(int in, int dir, struct err *e);

#endif
