// SPDX-License-Identifier: Apache-2.0
#include "agent/libve/ws.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wslay/wslay.h>

#include "agent/libve/clean.h"

#define QUEUE_MSGS 1024

struct ws {
	struct ws_conf conf;
	wslay_event_context_ptr ctx;
	uint16_t peer_code;
	uint16_t close_code; /* to be sent when the queue is empty; 0: none */
	char close_reason[124];
	bool paused;
	bool full; /* input was left alone because of the queue */
	bool gone; /* the transport ended or failed */
};

ssize_t ws_fd_read(void *arg, void *buf, size_t n)
{
	ssize_t r = read(*(int *)arg, buf, n);

	return r < 0 ? -errno : r;
}

ssize_t ws_fd_write(void *arg, const void *buf, size_t n)
{
	ssize_t r = write(*(int *)arg, buf, n);

	return r < 0 ? -errno : r;
}

/* Who pings and does not read what it is answered is not heard on. */
static bool may_read(struct ws *w)
{
	w->full = wslay_event_get_queued_msg_count(w->ctx) >= QUEUE_MSGS;
	return !w->paused && !w->full;
}

static ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *buf, size_t n,
		       int flags, void *user)
{
	struct ws *w = user;
	ssize_t r = may_read(w) ? w->conf.read(w->conf.arg, buf, n) : -EAGAIN;

	if (r > 0)
		return r;
	if (r == -EAGAIN || r == -EINTR) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
	} else {
		w->gone = true;
		wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
	}
	return -1;
}

static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *data,
		       size_t n, int flags, void *user)
{
	struct ws *w = user;
	ssize_t r = w->conf.write(w->conf.arg, data, n);

	if (r > 0)
		return r;
	if (r == -EAGAIN || r == -EINTR) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
	} else {
		w->gone = true;
		wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
	}
	return -1;
}

static int on_genmask(wslay_event_context_ptr ctx, uint8_t *buf, size_t n,
		      void *user)
{
	return RAND_bytes(buf, (int)n) == 1 ? 0 : -1;
}

static void on_msg(wslay_event_context_ptr ctx,
		   const struct wslay_event_on_msg_recv_arg *m, void *user)
{
	struct ws *w = user;

	switch (m->opcode) {
	case WSLAY_BINARY_FRAME:
		w->conf.on_message(w->conf.arg, m->msg, m->msg_length);
		break;
	case WSLAY_TEXT_FRAME:
		wslay_event_queue_close(ctx, WSLAY_CODE_UNSUPPORTED_DATA, NULL,
					0);
		break;
	case WSLAY_CONNECTION_CLOSE:
		w->peer_code = m->status_code ? m->status_code
					      : WSLAY_CODE_NO_STATUS_RCVD;
		break;
	default:
		break;
	}
}

struct ws *ws_create(const struct ws_conf *conf)
{
	static const struct wslay_event_callbacks cb = {
		.recv_callback = on_recv,
		.send_callback = on_send,
		.genmask_callback = on_genmask,
		.on_msg_recv_callback = on_msg,
	};
	struct ws *w = xcalloc(1, sizeof(*w));
	int r;

	w->conf = *conf;
	r = conf->client ? wslay_event_context_client_init(&w->ctx, &cb, w)
			 : wslay_event_context_server_init(&w->ctx, &cb, w);
	if (r)
		abort();
	wslay_event_config_set_max_recv_msg_length(w->ctx, conf->max);
	return w;
}

void ws_destroy(struct ws *w)
{
	if (!w)
		return;
	wslay_event_context_free(w->ctx);
	free(w);
}

static void send_queued(struct ws *w)
{
	if (!w->gone && wslay_event_want_write(w->ctx) &&
	    wslay_event_send(w->ctx) < 0)
		w->gone = true;
}

/* libwslay would let a close frame overtake the messages before it. */
static void send_close(struct ws *w)
{
	if (w->gone || !w->close_code ||
	    wslay_event_get_queued_msg_count(w->ctx))
		return;
	wslay_event_queue_close(w->ctx, w->close_code,
				(const uint8_t *)w->close_reason,
				strlen(w->close_reason));
	w->close_code = 0;
	send_queued(w);
}

static void receive(struct ws *w)
{
	if (!w->paused && !w->gone && wslay_event_want_read(w->ctx) &&
	    wslay_event_recv(w->ctx) < 0)
		w->gone = true;
}

int ws_step(struct ws *w)
{
	receive(w);
	send_queued(w);
	if (w->full)
		receive(w); /* there may be room now */
	send_close(w);
	if (w->gone)
		return -EPIPE;
	return wslay_event_want_read(w->ctx) || wslay_event_want_write(w->ctx)
		       ? 0
		       : -EPIPE;
}

bool ws_wants_read(const struct ws *w)
{
	return !w->paused && !w->full && !w->gone &&
	       wslay_event_want_read(w->ctx);
}

bool ws_wants_write(const struct ws *w)
{
	return !w->gone && (w->close_code || wslay_event_want_write(w->ctx));
}

void ws_pause(struct ws *w, bool paused)
{
	w->paused = paused;
}

int ws_send(struct ws *w, const void *data, size_t n)
{
	const struct wslay_event_msg m = {
		.opcode = WSLAY_BINARY_FRAME,
		.msg = data,
		.msg_length = n,
	};

	if (w->close_code)
		return -EPIPE;
	return wslay_event_queue_msg(w->ctx, &m) ? -EPIPE : 0;
}

size_t ws_queued(const struct ws *w)
{
	return wslay_event_get_queued_msg_length(w->ctx);
}

void ws_close(struct ws *w, uint16_t code, const char *reason)
{
	if (w->close_code || wslay_event_get_close_sent(w->ctx))
		return;
	w->close_code = code;
	snprintf(w->close_reason, sizeof(w->close_reason), "%s",
		 reason ? reason : "");
}

uint16_t ws_peer_code(const struct ws *w)
{
	return w->peer_code;
}

bool ws_closing(const struct ws *w)
{
	return w->gone || w->close_code ||
	       wslay_event_get_close_received(w->ctx) ||
	       wslay_event_get_close_sent(w->ctx);
}

void ws_accept(char out[static WS_ACCEPT_LEN], const char *key)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	uint8_t digest[SHA_DIGEST_LENGTH];
	char text[128];
	int n = snprintf(text, sizeof(text), "%.64s%s", key, guid);

	SHA1((const uint8_t *)text, (size_t)n, digest);
	EVP_EncodeBlock((uint8_t *)out, digest, sizeof(digest));
}
