/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_STREAM_H
#define VE_LIBVE_STREAM_H

/*
 * Client side of a terminal stream or of a port: TCP (or a Unix socket), TLS, the WebSocket
 * handshake.  What remains is a transport for struct ws (ws.h): pass
 * stream_read and stream_write with the stream as argument.  Non-blocking
 * throughout; for one thread at a time.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/libve/err.h"
#include "agent/libve/tls.h"

struct stream;

struct stream_conf {
	const char *host, *port;   /* "10.0.0.5", "7443" */
	const char *unix_path;	   /* instead: plain over this socket */
	SSL_CTX *ctx;		   /* of tls_client(); borrowed */
	const char *node;	   /* id that the certificate must name */
	const char *path;	   /* "/v1/ves/7/terminals/main/ws?from=0" */
	const char *grant;	   /* Ve-Grant, or NULL */
	bool port_stream;	   /* the path is a port: raw bytes, no WebSocket */
	const char *command;	   /* kind=exec: sent as Ve-Command, or NULL */
	int timeout_ms;		   /* until the stream is open; 0: 10,000 */
};

/*
 * Begin to connect.  0 and a stream that the caller destroys, or -errno with
 * words.  Strings of @conf are used during this call only.
 */
int stream_start(struct stream **out, const struct stream_conf *conf,
		 struct err *e);
void stream_destroy(struct stream *s);

/*
 * Go on with the opening.  0 when the stream is open; -EAGAIN: call again when
 * stream_fd() is ready for stream_events() or stream_timeout() has passed; any
 * other: it failed, words in @e.  When the agent answered with an error,
 * stream_status() and stream_problem() tell which ("suspended", ...).
 */
int stream_step(struct stream *s, struct err *e);

/* stream_start() and stream_step() to the end, waiting.  For programs without
 * a loop. */
int stream_open(struct stream **out, const struct stream_conf *conf,
		struct err *e);

int stream_fd(const struct stream *s);
/* EPOLLIN, EPOLLOUT that OpenSSL or the opening wait for; 0 when idle: then
 * wait for EPOLLIN if you want to read, EPOLLOUT if you want to write. */
uint32_t stream_events(const struct stream *s);
int stream_timeout(const struct stream *s); /* ms left to open, >= 0 */
int stream_status(const struct stream *s);  /* HTTP status, 0 before */
const char *stream_problem(const struct stream *s); /* "" without one */

/*
 * Move bytes on an open stream: count, 0 at the end of input, -EAGAIN, or
 * -errno.  @arg is the stream.  Read until -EAGAIN: OpenSSL may hold bytes for
 * which the descriptor does not become ready.
 */
ssize_t stream_read(void *arg, void *buf, size_t n);
ssize_t stream_write(void *arg, const void *buf, size_t n);

#endif
