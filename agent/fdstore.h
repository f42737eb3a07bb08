/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_AGENT_FDSTORE_H
#define VE_AGENT_FDSTORE_H

/*
 * systemd's descriptor store (FileDescriptorStoreMax=): what the supervisor
 * keeps for its parts lies there too, so that it outlives the supervisor.
 * Without systemd nothing happens.
 *
 * An entry lies there as descriptors named PART.KEY.N; number 0 is a memfd with
 * the message, the others are its descriptors in order.
 */
#include "agent/keep.h"

/* Tell systemd something ("READY=1"), with a descriptor (-1: none). */
void fdstore_notify(const char *text, int fd);

void fdstore_put(const char *part, const struct keep_entry *e);
void fdstore_drop(const char *part, const struct keep_entry *e);

/*
 * At start: what a former supervisor left of @part, as entries of @k.  Call for
 * each part, then fdstore_done(), which closes what nobody wanted.
 */
void fdstore_restore(const char *part, struct keep *k);
void fdstore_done(void);

#endif
