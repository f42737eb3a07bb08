// SPDX-License-Identifier: Apache-2.0
#include "portal/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "agent/libve/clean.h"
#include "agent/libve/mono.h"
#include "agent/libve/stream.h"
#include "agent/libve/wire.h"
#include "agent/libve/ws.h"

#define PING_MS 20000
#define HIGH (256u << 10)

struct shell {
	struct stream *stream;
	struct ws *ws;
	bool tty, raw;
	struct termios before;
	struct buf out, err; /* waiting for standard output and error */
	uint64_t seq, acked; /* of what was written; of what was said */
	bool in_open, greeted; /* input waits for HELLO */
	int status; /* -1 until the command has ended */
	int64_t pinged;
};

static volatile sig_atomic_t resized;

static void on_winch(int sig)
{
	resized = 1;
}

void shell_size(unsigned *cols, unsigned *rows)
{
	struct winsize w;

	if (ioctl(0, TIOCGWINSZ, &w) || !w.ws_col || !w.ws_row)
		return;
	*cols = w.ws_col < TERM_SIZE_MAX ? w.ws_col : TERM_SIZE_MAX;
	*rows = w.ws_row < TERM_SIZE_MAX ? w.ws_row : TERM_SIZE_MAX;
}

static void send_msg(struct shell *s, const struct term_msg *m)
{
	_buf_ struct buf b = { 0 };

	term_encode(&b, m);
	ws_send(s->ws, b.data, b.len);
}

static void on_message(void *arg, const uint8_t *data, size_t n)
{
	struct shell *s = arg;
	struct term_msg m;

	if (term_decode(&m, TERM_FROM_SERVER, data, n))
		return;
	switch (m.type) {
	case TERM_HELLO:
		s->greeted = true;
		s->seq = s->acked = m.seq;
		break;
	case TERM_DATA:
	case TERM_SNAPSHOT:
		buf_put(&s->out, m.data, m.len);
		s->seq = m.seq + (m.type == TERM_DATA ? m.len : 0);
		break;
	case TERM_STDERR:
		buf_put(&s->err, m.data, m.len);
		break;
	case TERM_EXIT:
		s->status = (int)m.status;
		break;
	case TERM_NOTICE:
		buf_puts(&s->err, "\r\n");
		buf_put(&s->err, m.data, m.len);
		buf_puts(&s->err, "\r\n");
		break;
	}
	ws_pause(s->ws, s->out.len > HIGH || s->err.len > HIGH);
}

static void drain(struct buf *b, int fd)
{
	ssize_t n = b->len ? write(fd, b->data, b->len) : 0;

	if (n > 0)
		buf_shift(b, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		b->len = 0; /* nobody reads it any more */
}

static void take_input(struct shell *s)
{
	uint8_t room[16384];
	ssize_t n = read(0, room, sizeof(room));
	struct term_msg m = { .type = TERM_INPUT, .data = room };

	if (n > 0) {
		m.len = (size_t)n;
		send_msg(s, &m);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		s->in_open = false;
		send_msg(s, &(struct term_msg){ .type = TERM_EOF });
	}
}

static void tell_size(struct shell *s)
{
	struct term_msg m = { .type = TERM_RESIZE };
	unsigned cols = 80, rows = 24;

	shell_size(&cols, &rows);
	m.cols = (uint16_t)cols;
	m.rows = (uint16_t)rows;
	send_msg(s, &m);
}

/* What is due besides moving bytes. */
static void keep_up(struct shell *s)
{
	int64_t now = mono_ms();

	if (resized && s->tty) {
		resized = 0;
		tell_size(s);
	}
	if (!s->out.len && s->seq - s->acked >= TERM_ACK_EVERY) {
		s->acked = s->seq;
		send_msg(s,
			 &(struct term_msg){ .type = TERM_ACK, .seq = s->seq });
	}
	if (now - s->pinged > PING_MS) {
		s->pinged = now;
		send_msg(s, &(struct term_msg){ .type = TERM_PING,
						.stamp = (uint64_t)now });
	}
}

static ssize_t net_read(void *arg, void *data, size_t n)
{
	struct shell *s = arg;

	return stream_read(s->stream, data, n);
}

static ssize_t net_write(void *arg, const void *data, size_t n)
{
	struct shell *s = arg;

	return stream_write(s->stream, data, n);
}

static void wait_for_any(struct shell *s)
{
	uint32_t want = stream_events(s->stream);
	struct pollfd p[4] = {
		{ .fd = stream_fd(s->stream) },
		{ .fd = s->in_open && s->greeted && ws_queued(s->ws) < HIGH
				? 0
				: -1,
		  .events = POLLIN },
		{ .fd = s->out.len ? 1 : -1, .events = POLLOUT },
		{ .fd = s->err.len ? 2 : -1, .events = POLLOUT },
	};

	if (want & EPOLLIN || ws_wants_read(s->ws))
		p[0].events |= POLLIN;
	if (want & EPOLLOUT || ws_wants_write(s->ws))
		p[0].events |= POLLOUT;
	if (poll(p, 4, PING_MS / 4) <= 0)
		return;
	if (p[1].revents)
		take_input(s);
}

/* Whether there is more to do. */
static bool turn(struct shell *s)
{
	bool more;

	drain(&s->out, 1);
	drain(&s->err, 2);
	ws_pause(s->ws, s->out.len > HIGH || s->err.len > HIGH);
	more = !ws_step(s->ws);
	keep_up(s);
	if (!more || s->status >= 0)
		return s->out.len || s->err.len;
	return true;
}

static int farewell(struct shell *s)
{
	if (s->status >= 0)
		return s->status;
	switch (ws_peer_code(s->ws)) {
	case TERM_CLOSE_SUSPENDED:
		fputs("vestibule: this environment is suspended\r\n", stderr);
		break;
	case TERM_CLOSE_NO_VE:
		fputs("vestibule: the environment has stopped\r\n", stderr);
		break;
	default:
		fputs("vestibule: the connection to the node was lost; "
		      "what runs in the environment goes on\r\n",
		      stderr);
	}
	return 255;
}

static void set_raw(struct shell *s)
{
	struct termios t;

	if (!s->tty || tcgetattr(0, &s->before))
		return;
	t = s->before;
	cfmakeraw(&t);
	s->raw = !tcsetattr(0, TCSADRAIN, &t);
}

int shell_run(struct stream *stream, bool tty)
{
	struct shell s = { .stream = stream,
			   .tty = tty,
			   .in_open = true,
			   .status = -1,
			   .pinged = mono_ms() };
	struct ws_conf c = { .client = true,
			     .max = TERM_MSG_MAX,
			     .read = net_read,
			     .write = net_write,
			     .on_message = on_message,
			     .arg = &s };
	struct sigaction sa = { .sa_handler = on_winch };
	int status;

	sigaction(SIGWINCH, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	s.ws = ws_create(&c);
	set_raw(&s);
	for (int fd = 0; fd < 3; fd++)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	while (turn(&s))
		wait_for_any(&s);
	for (int fd = 0; fd < 3; fd++)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	if (s.raw)
		tcsetattr(0, TCSADRAIN, &s.before);
	status = farewell(&s);
	ws_destroy(s.ws);
	stream_destroy(stream);
	buf_free(&s.out);
	buf_free(&s.err);
	return status;
}
