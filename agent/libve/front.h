/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_FRONT_H
#define VE_LIBVE_FRONT_H

/*
 * The TLS front: one thread that accepts TCP connections, does the handshakes
 * under a time limit, and pumps between each TLS connection and one end of a
 * socketpair.  The other end goes to the caller, who speaks plain HTTP on it
 * (MHD_add_connection) or passes it to another process.
 *
 * Bounded memory for each connection, half-close in both directions, and limits
 * on connections in all, for each address (an IPv6 /64 counts as one), and on
 * the handshakes that one address has under way.
 */
#include "agent/libve/tls.h"

struct front;

struct front_conf {
	SSL_CTX *ctx;	       /* borrowed until front_stop() */
	int listen_fd;	       /* listening, owned by the front from start on */
	unsigned max;	       /* connections in all; 0: 4096 */
	unsigned max_each;     /* for each address; 0: no limit */
	unsigned handshake_ms; /* 0: 10,000 */
	/*
	 * A connection is ready; runs in the front's thread and must not wait.
	 * @fd (a non-blocking stream socket) is the callee's to close; @peer
	 * lives as long as the call.
	 */
	void (*on_conn)(void *arg, int fd, const struct tls_peer *peer);
	void *arg;
};

/* Start the thread.  0, or -errno with words (and @conf->listen_fd open). */
int front_start(struct front **out, const struct front_conf *conf,
		struct err *e);

/* Connections from now on begin with @ctx, whose reference is taken over; those
 * under way keep what they began with. */
void front_renew(struct front *f, SSL_CTX *ctx);

/* Close every connection and end the thread.  NULL is accepted. */
void front_stop(struct front *f);

/* Connections held at this moment. */
unsigned front_count(const struct front *f);

/*
 * A listening TCP socket for "127.0.0.1:7443", "[::1]:8443" or ":8443" (every
 * address, IPv6 and IPv4).  A port that is in use is waited for, five seconds:
 * a part of a former life that was killed may hold it still.  Descriptor, or
 * -errno with words.
 */
int front_listen(const char *where, struct err *e);

#endif
