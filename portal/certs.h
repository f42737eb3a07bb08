/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_CERTS_H
#define VE_PORTAL_CERTS_H

/*
 * New certificates without a new start.  The supervisor, who may read the files,
 * sends what stands in them; a part, which may not, makes a TLS context of it.
 * What is under way keeps the certificate it began with.
 */
#include <pthread.h>

#include "agent/libve/tls.h"

/* The context of the moment. */
struct certs_box {
	pthread_mutex_t lock; /* of ctx */
	SSL_CTX *ctx;
};

void certs_box_init(struct certs_box *b, SSL_CTX *ctx);

/* A reference of the caller's, for SSL_CTX_free(). */
SSL_CTX *certs_box_get(struct certs_box *b);

/* Takes @ctx over in the place of what was there. */
void certs_box_set(struct certs_box *b, SSL_CTX *ctx);

/* Both ends, for the parent to hand out.  0 or -errno. */
int certs_create(int ends[2]);

/* Read @f's files and send them.  0, or -errno with words. */
int certs_send(int fd, const struct tls_files *f, struct err *e);

/*
 * A thread that waits at @fd and puts a context of each good set into @box: a
 * client's with an authority, else a server's.  What does not fit together is
 * logged and changes nothing.
 */
int certs_watch(int fd, struct certs_box *box, struct err *e);

#endif
