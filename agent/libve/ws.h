/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_WS_H
#define VE_LIBVE_WS_H

/*
 * One end of a WebSocket over any non-blocking transport, for event loops:
 * libwslay's framing with its corners covered (message bound, fragments,
 * close).  The handshake is done before; not thread safe.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ws;

struct ws_conf {
	bool client; /* we mask what we send */
	size_t max;  /* longest message that is taken, else 1009 */
	/* Bytes moved, 0 at the end of input (read only), -EAGAIN, or -errno. */
	ssize_t (*read)(void *arg, void *buf, size_t n);
	ssize_t (*write)(void *arg, const void *buf, size_t n);
	/* A whole binary message; a text message closes with 1003. */
	void (*on_message)(void *arg, const uint8_t *data, size_t n);
	void *arg;
};

/* The two transports over a plain descriptor; @arg is an int *. */
ssize_t ws_fd_read(void *arg, void *buf, size_t n);
ssize_t ws_fd_write(void *arg, const void *buf, size_t n);

/* Never fails; the caller destroys it.  @conf is copied. */
struct ws *ws_create(const struct ws_conf *conf);
void ws_destroy(struct ws *w);

/*
 * Move what the transport takes and gives now; calls on_message.  0; -EPIPE
 * when both sides are done (closing handshake finished, or the peer is gone):
 * then destroy it.
 */
int ws_step(struct ws *w);

/* What to wait for. */
bool ws_wants_read(const struct ws *w);
bool ws_wants_write(const struct ws *w);

/* Stop taking input (back pressure; also from on_message) or go on.  After
 * going on call ws_step() once: bytes may lie in the framing's own buffer. */
void ws_pause(struct ws *w, bool paused);

/* Queue a binary message (copied).  -EPIPE when closing already. */
int ws_send(struct ws *w, const void *data, size_t n);

/* Bytes queued and not yet taken by the transport. */
size_t ws_queued(const struct ws *w);

/* Begin the closing handshake; messages queued before go out first, and the
 * next ws_step() moves it on. */
void ws_close(struct ws *w, uint16_t code, const char *reason);

/* The code that the peer closed with, 0 when it has not. */
uint16_t ws_peer_code(const struct ws *w);

/* Whether the peer has ended or we are closing: nothing more will be sent. */
bool ws_closing(const struct ws *w);

#define WS_ACCEPT_LEN 29
/* Sec-WebSocket-Accept for Sec-WebSocket-Key @key. */
void ws_accept(char out[static WS_ACCEPT_LEN], const char *key);

#endif
