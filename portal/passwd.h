/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_PASSWD_H
#define VE_PORTAL_PASSWD_H

/*
 * Argon2id (m = 19 MiB, t = 2, p = 1).  As many at once as there are
 * processors, so that memory stays bounded and nobody's hash is slowed down by
 * everybody's.
 */
#include <stdbool.h>

#include "agent/libve/err.h"

#define PASSWD_HASH 128
#define PASSWD_MIN 8
#define PASSWD_MAX 256

/* Once, before the first thread. */
void passwd_init(void);

int passwd_hash(char out[static PASSWD_HASH], const char *password,
		struct err *e);

/* Whether @password belongs to @hash.  With NULL (nobody has this e-mail
 * address) the same work is done and the answer is false. */
bool passwd_verify(const char *hash, const char *password);

/* Whether @hash was made with other parameters than today's. */
bool passwd_is_old(const char *hash);

#endif
