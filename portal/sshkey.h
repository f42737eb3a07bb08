/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_SSHKEY_H
#define VE_PORTAL_SSHKEY_H

/* Public ssh keys as people paste them: "ssh-ed25519 AAAA... comment". */
#include "agent/libve/err.h"

struct sshkey {
	char kind[64];
	char blob[3004]; /* base64 */
	char fingerprint[52]; /* "SHA256:..." as ssh-keygen -l prints it */
	char comment[101];
};

/*
 * Take @line apart and check that the blob says the same kind.  Kinds: Ed25519,
 * ECDSA, RSA of at least 2048 bits, and the two of security keys.  Options in
 * front of the key are refused.  0, or FAULT_FIELD with words.
 */
int sshkey_parse(struct sshkey *k, const char *line, struct err *e);

/* The same from what sshd gives ve-keys. */
int sshkey_from_parts(struct sshkey *k, const char *kind, const char *blob,
		      struct err *e);

#endif
