/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_TLS_H
#define VE_LIBVE_TLS_H

/*
 * TLS 1.3 contexts of the project and who the peer is.  Certificates are
 * checked against the project's CA and by the URIs in them, never by host name:
 * urn:vestibule:role:<role> says what a client may do, urn:vestibule:node:<id>
 * which node a server is.
 */
#include <stdbool.h>
#include <openssl/ssl.h>

#include "agent/libve/addr.h"
#include "agent/libve/err.h"

#define TLS_NAME 64 /* room for a role or node id */

/* Who is at the other end; empty strings where nothing was said. */
struct tls_peer {
	char role[TLS_NAME];
	char node[TLS_NAME];
	struct addr address; /* of the TCP connection; family 0 when unknown */
	bool verified;	     /* a certificate of our CA was shown */
	char name[TLS_NAME]; /* that a client asked for, "" for none */
};

struct tls_files {
	const char *cert; /* PEM chain; may be NULL for a client without one */
	const char *key;
	const char *ca;	  /* NULL: a server that asks for no certificate */
};

/*
 * Context of a server.  With @f->ca each client must show a certificate of that
 * CA, else the handshake fails.  SIGPIPE is ignored from here on.  NULL with
 * words in @e; the caller releases with SSL_CTX_free().
 */
SSL_CTX *tls_server(const struct tls_files *f, struct err *e);

/* What stands in such files, for who may not read them; len 0: none. */
struct tls_texts {
	struct tls_text {
		const char *pem;
		size_t len;
	} cert, key, ca;
};

/*
 * The same as tls_server() and tls_client(), from texts.
 */
SSL_CTX *tls_server_texts(const struct tls_texts *t, struct err *e);
SSL_CTX *tls_client_texts(const struct tls_texts *t, struct err *e);

/* Context of a client which trusts @f->ca alone. */
SSL_CTX *tls_client(const struct tls_files *f, struct err *e);

/*
 * Use the files and rules of tls_client() on a context that somebody else made
 * (libcurl), and demand that the server is node @node (NULL: any certificate of
 * the CA).  @node is kept until the context ends.
 */
int tls_client_rules(SSL_CTX *ctx, const char *node, struct err *e);

/* Read role and node of the peer's certificate; address stays as it is. */
void tls_peer_read(struct tls_peer *p, SSL *ssl);

/* The oldest unread failure of OpenSSL in words, for err_set(). */
const char *tls_reason(void);

#endif
