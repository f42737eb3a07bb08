// SPDX-License-Identifier: Apache-2.0
#include "agent/vectl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "agent/libve/clean.h"
#include "agent/libve/mono.h"
#include "agent/libve/stream.h"
#include "agent/libve/wire.h"
#include "agent/libve/ws.h"

#define PING_MS 20000
#define CHUNK 16384
#define QUEUE_MAX 131072

static struct session {
	struct stream *stream;
	struct ws *ws;
	uint64_t acked;
	int status; /* -1 until EXIT */
	bool stdin_open;
	bool gone;
	int64_t pinged;
} s;

static struct termios saved;
static bool is_raw;

static void restore(void)
{
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	is_raw = false;
}

static void make_raw(void)
{
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &saved) < 0)
		return;
	t = saved;
	cfmakeraw(&t);
	is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0;
	atexit(restore);
}

static void send_msg(const struct term_msg *m)
{
	struct buf b _buf_ = { 0 };

	term_encode(&b, m);
	ws_send(s.ws, b.data, b.len);
}

static void put(int fd, const uint8_t *data, size_t n)
{
	while (n) {
		ssize_t r = write(fd, data, n);

		if (r < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			poll(&p, 1, -1);
			continue;
		}
		if (r <= 0)
			return;
		data += r;
		n -= (size_t)r;
	}
}

static void on_message(void *arg, const uint8_t *data, size_t n)
{
	struct term_msg m;
	uint64_t seen;

	if (term_decode(&m, TERM_FROM_SERVER, data, n) < 0)
		return;
	switch (m.type) {
	case TERM_DATA:
	case TERM_SNAPSHOT:
		put(STDOUT_FILENO, m.data, m.len);
		seen = m.type == TERM_DATA ? m.seq + m.len : m.seq;
		if (seen - s.acked >= TERM_ACK_EVERY) {
			s.acked = seen;
			send_msg(&(struct term_msg){ .type = TERM_ACK,
						     .seq = seen });
		}
		break;
	case TERM_STDERR:
		put(STDERR_FILENO, m.data, m.len);
		break;
	case TERM_NOTICE:
		fprintf(stderr, "\r\nvectl: %.*s\r\n", (int)m.len, m.data);
		break;
	case TERM_EXIT:
		s.status = (int)m.status;
		break;
	default:
		break;
	}
}

static void send_size(void)
{
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col && w.ws_row &&
	    w.ws_col <= TERM_SIZE_MAX && w.ws_row <= TERM_SIZE_MAX)
		send_msg(&(struct term_msg){ .type = TERM_RESIZE,
					     .cols = w.ws_col,
					     .rows = w.ws_row });
}

static void read_stdin(bool exec)
{
	uint8_t chunk[CHUNK];
	ssize_t n = read(STDIN_FILENO, chunk, sizeof(chunk));

	if (n > 0) {
		send_msg(&(struct term_msg){
			.type = TERM_INPUT, .data = chunk, .len = (size_t)n });
	} else if (n == 0 || errno != EAGAIN) {
		s.stdin_open = false;
		if (exec)
			send_msg(&(struct term_msg){ .type = TERM_EOF });
	}
}

static void loop(bool exec, int signals)
{
	while (!s.gone) {
		bool room = s.stdin_open && ws_queued(s.ws) < QUEUE_MAX;
		struct pollfd p[3] = {
			{ .fd = stream_fd(s.stream), .events = POLLIN },
			{ .fd = room ? STDIN_FILENO : -1, .events = POLLIN },
			{ .fd = signals, .events = POLLIN },
		};
		struct signalfd_siginfo si;

		if (ws_wants_write(s.ws))
			p[0].events |= POLLOUT;
		poll(p, 3, 1000);
		if (p[1].revents)
			read_stdin(exec);
		if (p[2].revents && read(signals, &si, sizeof(si)) > 0)
			send_size();
		if (mono_ms() - s.pinged >= PING_MS) {
			s.pinged = mono_ms();
			send_msg(&(struct term_msg){ .type = TERM_PING });
		}
		s.gone = ws_step(s.ws) < 0;
	}
}

static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int explain_close(uint32_t veid)
{
	switch (ws_peer_code(s.ws)) {
	case TERM_CLOSE_NO_VE:
		return vectl_fail("there is no VE %" PRIu32
				  "\n  'vectl list' shows what there is",
				  veid);
	case TERM_CLOSE_SUSPENDED:
		return vectl_fail("VE %" PRIu32 " is suspended\n  lift that"
				  " first: 'vectl unsuspend %" PRIu32 "'",
				  veid, veid);
	case TERM_CLOSE_TOO_MANY:
		return vectl_fail("VE %" PRIu32 " has too many terminals",
				  veid);
	default:
		return vectl_fail("the connection to VE %" PRIu32 " ended"
				  " (code %u)\n  the agent's log says why",
				  veid, ws_peer_code(s.ws));
	}
}

static int run(uint32_t veid, bool exec)
{
	struct ws_conf conf = { .client = true,
				.max = TERM_MSG_MAX,
				.read = stream_read,
				.write = stream_write,
				.on_message = on_message,
				.arg = s.stream };
	int signals = signals_open();

	s.ws = ws_create(&conf);
	s.status = -1;
	s.stdin_open = true;
	s.pinged = mono_ms();
	if (!exec)
		send_size();
	loop(exec, signals);
	restore();
	return s.status >= 0 ? s.status : explain_close(veid);
}

static int dial(const struct vectl *v, const char *path, const char *command)
{
	struct stream_conf conf = { .unix_path = v->socket,
				    .path = path,
				    .command = command };
	struct err e = { 0 };

	if (stream_open(&s.stream, &conf, &e) < 0)
		return vectl_fail("%s", e.text);
	return 0;
}

int vectl_enter(const struct vectl *v, uint32_t veid)
{
	struct winsize w = { .ws_col = 80, .ws_row = 24 };
	char *path _free_ = NULL;

	if (!isatty(STDIN_FILENO))
		return vectl_fail("enter: standard input is no terminal\n"
				  "  use 'vectl exec' in scripts");
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &w);
	path = xasprintf("/v1/ves/%" PRIu32 "/terminals/ctl-%d/ws?kind=tty&"
			 "cols=%u&rows=%u",
			 veid, (int)getpid(),
			 w.ws_col && w.ws_col <= TERM_SIZE_MAX ? w.ws_col : 80,
			 w.ws_row && w.ws_row <= TERM_SIZE_MAX ? w.ws_row : 24);
	if (dial(v, path, NULL))
		return 1;
	make_raw();
	return run(veid, false);
}

/* Quote for the shell inside, so that each argument arrives as it is. */
static void quote(struct buf *b, const char *s_)
{
	buf_puts(b, "'");
	for (; *s_; s_++) {
		if (*s_ == '\'')
			buf_puts(b, "'\\''");
		else
			buf_put(b, s_, 1);
	}
	buf_puts(b, "'");
}

int vectl_exec(const struct vectl *v, uint32_t veid, char **argv)
{
	char *path _free_ = xasprintf(
		"/v1/ves/%" PRIu32 "/terminals/exec/ws?kind=exec", veid);
	struct buf command _buf_ = { 0 };

	if (argv[1] == NULL) {
		buf_puts(&command, argv[0]); /* one word: a shell line */
	} else {
		for (; *argv; argv++) {
			if (command.len)
				buf_puts(&command, " ");
			quote(&command, *argv);
		}
	}
	if (dial(v, path, command.data))
		return 1;
	return run(veid, true);
}
