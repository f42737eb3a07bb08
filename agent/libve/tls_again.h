/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_TLS_AGAIN_H
#define VE_LIBVE_TLS_AGAIN_H

/*
 * Going on with a TLS session instead of proving certificates again: the newest
 * session with each node is kept with the context it began in, and ends with it.
 */
#include <openssl/ssl.h>

/* @ssl, a client's that is about to connect to @node, tries to go on, and what it
 * is given for the next time is kept.  @node lives as long as @ssl. */
void tls_again(SSL *ssl, const char *node);

#endif
