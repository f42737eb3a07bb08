/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_OVERLAY_H
#define VE_AGENT_OVERLAY_H

/*
 * [priv] The root of a VE: an overlay of a template and a private tree, both
 * id-mapped to the VE's range, mounted detached: it never stands in the node's
 * own tree.
 */
#include <stdint.h>

#include "agent/libve/err.h"

/* A mount descriptor.  @ids is a user namespace whose root is @id_first; all
 * descriptors stay the caller's. */
int overlay_mount(int template_fd, int private_fd, int ids, uint32_t id_first,
		  struct err *e);

#endif
