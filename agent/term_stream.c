// SPDX-License-Identifier: Apache-2.0
#include "agent/term.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"

#define SILENT_MS 150000 /* a page out of sight pings once a minute */
#define ALIVE_MS 20000 /* who cannot be heard is told as often that we are */
#define CLOSE_MS 10000 /* for the last bytes and the closing handshake */
#define CHUNK 32768
#define QUEUE_MAX (256 * 1024)
#define TURN_MAX (256 * 1024) /* read of one client before others have a turn */

static ssize_t read_conn(void *arg, void *buf, size_t n)
{
	struct stream *s = arg;

	if (s->extra_at < s->nextra) {
		size_t left = s->nextra - s->extra_at;

		n = n < left ? n : left;
		memcpy(buf, s->extra + s->extra_at, n);
		s->extra_at += n;
		return (ssize_t)n;
	}
	if (!s->turn)
		return -EAGAIN;
	n = n < s->turn ? n : s->turn;
	s->turn -= n;
	return ws_fd_read(&s->source.fd, buf, n);
}

static ssize_t write_conn(void *arg, const void *buf, size_t n)
{
	struct stream *s = arg;

	return ws_fd_write(&s->source.fd, buf, n);
}

static void on_ack(struct stream *s, uint64_t seq)
{
	if (seq > s->ack && seq <= s->seq)
		s->ack = seq;
	if (s->tty)
		tty_pace(s->tty);
}

/* One message of the client.  Must not destroy the stream: we are inside the
 * framing. */
static void on_message(void *arg, const uint8_t *data, size_t n)
{
	struct term_msg m, pong = { .type = TERM_PONG };
	struct stream *s = arg;

	s->heard = term_now();
	if (s->deadline)
		return;
	if (term_decode(&m, TERM_FROM_CLIENT, data, n) < 0 ||
	    m.type == TERM_AUTH) {
		ws_close(s->ws, 1008, "not ve-term.v1");
		s->deadline = term_now() + CLOSE_MS;
		return;
	}
	if (m.type == TERM_PING) {
		pong.stamp = m.stamp;
		if (ws_queued(s->ws) < QUEUE_MAX)
			stream_send(s, &pong);
	} else if (m.type == TERM_ACK) {
		on_ack(s, m.seq);
	} else if (m.type == TERM_INPUT && s->tty) {
		tty_input(s->tty, s, m.data, m.len);
	} else if (m.type == TERM_INPUT && s->exec) {
		exec_input(s->exec, m.data, m.len);
	} else if (m.type == TERM_RESIZE && s->tty) {
		tty_resize(s->tty, m.cols, m.rows);
	} else if (m.type == TERM_EOF && s->exec) {
		exec_end_input(s->exec);
	}
}

struct stream *stream_new(uint32_t veid, int fd, const uint8_t *extra, size_t n)
{
	struct stream *s = xcalloc(1, sizeof(*s));
	struct ws_conf conf = { .max = TERM_MSG_MAX,
				.read = read_conn,
				.write = write_conn,
				.on_message = on_message,
				.arg = s };

	fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
	s->veid = veid;
	s->source =
		(struct source){ .kind = SOURCE_STREAM, .fd = fd, .owner = s };
	s->ws = ws_create(&conf);
	s->heard = term_now();
	if (n) {
		s->extra = xmalloc(n);
		memcpy(s->extra, extra, n);
		s->nextra = n;
	}
	s->next = term.streams;
	term.streams = s;
	term.nstreams++;
	source_want(&s->source, EPOLLIN);
	return s;
}

static void destroy(struct stream *s)
{
	for (struct stream **at = &term.streams; *at; at = &(*at)->next) {
		if (*at != s)
			continue;
		*at = s->next;
		break;
	}
	term.nstreams--;
	if (s->tty)
		tty_leave(s->tty, s);
	exec_destroy(s->exec);
	source_close(&s->source);
	ws_destroy(s->ws);
	free(s->extra);
	free(s);
}

void stream_send(struct stream *s, const struct term_msg *m)
{
	struct buf b _buf_ = { 0 };

	term_encode(&b, m);
	ws_send(s->ws, b.data, b.len);
}

void stream_hold(struct stream *s, bool held)
{
	s->held = held;
	ws_pause(s->ws, held);
}

void stream_attach(struct stream *s, struct tty *t, uint64_t from)
{
	s->tty = t;
	s->from = from;
	if (!t->pacer)
		t->pacer = s;
	if (t->master.fd >= 0)
		stream_greet(s);
}

void stream_greet(struct stream *s)
{
	struct term_msg hello = { .type = TERM_HELLO, .version = 1 };
	const struct tty *t = s->tty;

	hello.kind = s->exec ? TERM_EXEC : TERM_TTY;
	hello.cols = 80;
	hello.rows = 24;
	if (t) {
		hello.cols = t->cols;
		hello.rows = t->rows;
		hello.seq = ring_lo(t->ring);
		hello.seq_hi = ring_hi(t->ring);
		hello.data = (const uint8_t *)t->name;
		hello.len = strlen(t->name);
		/* no place: all that is held; a place of another life: too */
		s->seq = s->from > hello.seq_hi ? hello.seq : s->from;
		s->ack = s->seq;
	}
	s->greeted = true;
	stream_send(s, &hello);
	stream_pump(s);
}

/* What the client wants is overwritten: paint the screen instead.  What is too
 * long for one message goes on as data, numbered so that it ends where the
 * output does. */
static void send_snapshot(struct stream *s)
{
	struct buf b _buf_ = { 0 };
	struct term_msg m = { .type = TERM_SNAPSHOT };
	uint64_t hi = ring_hi(s->tty->ring);

	screen_paint(tty_screen(s->tty), &b);
	for (size_t at = 0; !at || at < b.len; at += m.len) {
		m.data = (const uint8_t *)b.data + at;
		m.len = b.len - at < TERM_DATA_MAX ? b.len - at : TERM_DATA_MAX;
		m.seq = hi - (b.len - at - (at ? 0 : m.len));
		stream_send(s, &m);
		m.type = TERM_DATA;
	}
	s->seq = s->ack = hi;
}

/* The ring is the queue: send from the client's place as credit allows. */
static void send_output(struct stream *s)
{
	struct tty *t = s->tty;

	if (!t || !s->greeted || s->deadline || t->master.fd < 0)
		return;
	if (s->seq < ring_lo(t->ring) && ws_queued(s->ws) < QUEUE_MAX)
		send_snapshot(s);
	while (s->seq < ring_hi(t->ring) &&
	       s->seq - s->ack <= TERM_CREDIT_HIGH &&
	       ws_queued(s->ws) < QUEUE_MAX) {
		uint8_t chunk[CHUNK];
		struct term_msg m = { .type = TERM_DATA,
				      .seq = s->seq,
				      .data = chunk };

		m.len = ring_read(t->ring, s->seq, chunk, sizeof(chunk));
		stream_send(s, &m);
		s->seq += m.len;
	}
}

void stream_pump(struct stream *s)
{
	s->turn = TURN_MAX;
	send_output(s);
	if (ws_step(s->ws) < 0) {
		destroy(s);
		return;
	}
	/* an acknowledgement may just have come in */
	send_output(s);
	if (ws_wants_write(s->ws) && ws_step(s->ws) < 0) {
		destroy(s);
		return;
	}
	source_want(&s->source, (ws_wants_read(s->ws) ? EPOLLIN : 0) |
					(ws_wants_write(s->ws) ? EPOLLOUT : 0));
	if (!s->exec)
		return;
	exec_pace(s->exec);
	exec_settle(s->exec); /* may end the stream: the last thing */
}

void stream_end(struct stream *s, uint16_t code, const char *why)
{
	if (s->tty)
		tty_leave(s->tty, s);
	s->tty = NULL;
	exec_destroy(s->exec);
	s->exec = NULL;
	s->deadline = term_now() + CLOSE_MS;
	ws_pause(s->ws, false);
	ws_close(s->ws, code, why);
	stream_pump(s);
}

void stream_exit(struct stream *s, uint32_t status)
{
	struct term_msg m = { .type = TERM_EXIT, .status = status };

	/* its last words, whatever the credit */
	if (s->tty && s->greeted && !s->deadline) {
		if (ring_hi(s->tty->ring) - s->seq > TERM_CREDIT_HIGH)
			send_snapshot(s);
		s->ack = s->seq;
		send_output(s);
	}
	stream_send(s, &m);
	stream_end(s, 1000, NULL);
}

/* Its input waits, and its pings behind it. */
static void say_alive(struct stream *s, int64_t now)
{
	struct term_msg pong = { .type = TERM_PONG };

	if (now - s->heard < ALIVE_MS || ws_queued(s->ws) >= QUEUE_MAX)
		return;
	s->heard = now;
	stream_send(s, &pong);
	stream_pump(s);
}

void stream_tick(int64_t now)
{
	struct stream *s, *next;

	for (s = term.streams; s; s = next) {
		next = s->next;
		if (s->deadline && now >= s->deadline)
			destroy(s);
		else if (s->held)
			say_alive(s, now);
		else if (!s->deadline && now - s->heard >= SILENT_MS)
			stream_end(s, TERM_CLOSE_GOING_AWAY, "silent");
	}
}
