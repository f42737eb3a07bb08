/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_CHANNEL_H
#define VE_PORTAL_CHANNEL_H

/*
 * From the front to the web part: one connection a message, the visitor's
 * address, the name that the visitor asked for, and the descriptor.  Nothing ever
 * goes the other way.
 */
#include "agent/libve/addr.h"

struct arrival {
	struct addr address;
	char name[64]; /* of the TLS handshake, "" for none */
};

/* Both ends, for the parent to hand out.  0 or -errno. */
int channel_create(int ends[2]);

/* Send @fd (borrowed).  Never waits: -EAGAIN when the other side is behind. */
int channel_send(int channel, int fd, const struct arrival *who);

/* Wait for one.  Descriptor; -EPIPE when the front is gone for good; another
 * -errno for a message that is not right. */
int channel_receive(int channel, struct arrival *who);

#endif
