/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_CERT_H
#define VE_PORTAL_CERT_H

#include "agent/libve/buf.h"
#include "agent/libve/err.h"

struct authority;

/* Reads the CA's certificate and key.  0, or -errno with words. */
int authority_open(struct authority **out, const char *cert, const char *key,
		   struct err *e);

/*
 * Sign what a node asks for: @csr is a PKCS #10 request, DER in base64.  Of it
 * only the public key is used (P-256, and the request proves that the node has
 * the private one); the certificate names urn:vestibule:node:@node and lets its
 * holder serve, nothing else.  @out gets the certificate and the CA's, PEM.
 * -EBADMSG when the request is not good.
 */
int authority_sign(const struct authority *a, const char *node, const char *csr,
		   struct buf *out, struct err *e);

#endif
