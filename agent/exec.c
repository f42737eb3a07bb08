// SPDX-License-Identifier: Apache-2.0
/* [term] A command without a terminal: three pipes and a status. */
#include "agent/term.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/libve/clean.h"

#define INPUT_MAX 131072
#define QUEUE_MAX (256 * 1024)
#define CHUNK 32768

void exec_start(struct stream *s, int *fds)
{
	struct exec *x = xcalloc(1, sizeof(*x));
	struct source *all[4] = { &x->in, &x->out, &x->err, &x->status };

	x->stream = s;
	s->exec = x;
	for (int i = 0; i < 4; i++) {
		*all[i] = (struct source){ .kind = SOURCE_EXEC,
					   .owner = x,
					   .fd = take_fd(&fds[i]) };
		fcntl(all[i]->fd, F_SETFL, O_NONBLOCK | (i ? 0 : O_WRONLY));
	}
	source_want(&x->status, EPOLLIN);
	exec_pace(x);
	stream_greet(s);
}

void exec_destroy(struct exec *x)
{
	if (!x)
		return;
	source_close(&x->in);
	source_close(&x->out);
	source_close(&x->err);
	source_close(&x->status);
	buf_free(&x->input);
	free(x);
}

/* Output waits while the client's line is full.  Not for acknowledgements: they
 * may stand behind input that the command does not take before its own output
 * is taken (cat). */
static bool may_read(const struct exec *x)
{
	return ws_queued(x->stream->ws) < QUEUE_MAX;
}

void exec_pace(struct exec *x)
{
	uint32_t read = may_read(x) ? EPOLLIN : 0;

	source_want(&x->out, read);
	source_want(&x->err, read);
	source_want(&x->in, x->input.len ? EPOLLOUT : 0);
}

static void write_input(struct exec *x)
{
	while (x->input.len && x->in.fd >= 0) {
		ssize_t r = write(x->in.fd, x->input.data, x->input.len);

		if (r < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (r <= 0) {
			/* it does not read: swallow */
			source_close(&x->in);
			break;
		}
		buf_shift(&x->input, (size_t)r);
	}
	if (x->in.fd < 0)
		buf_free(&x->input);
	if (!x->input.len && x->input_ended)
		source_close(&x->in);
	if (x->input.len <= INPUT_MAX / 2)
		stream_hold(x->stream, false);
}

void exec_input(struct exec *x, const uint8_t *data, size_t n)
{
	if (x->input_ended || x->in.fd < 0)
		return;
	buf_put(&x->input, data, n);
	write_input(x);
	if (x->input.len > INPUT_MAX)
		stream_hold(x->stream, true);
	exec_pace(x);
}

void exec_end_input(struct exec *x)
{
	x->input_ended = true;
	write_input(x);
	exec_pace(x);
}

/* One chunk of stdout or stderr; false when there is none now. */
static bool forward(struct exec *x, struct source *s)
{
	uint8_t chunk[CHUNK];
	struct term_msg m = { .type = TERM_DATA, .data = chunk };
	ssize_t n;

	if (s->fd < 0)
		return false;
	n = read(s->fd, chunk, sizeof(chunk));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		source_close(s);
		return false;
	}
	m.len = (size_t)n;
	if (s == &x->err) {
		m.type = TERM_STDERR;
	} else {
		m.seq = x->stream->seq;
		x->stream->seq += (uint64_t)n;
	}
	stream_send(x->stream, &m);
	return true;
}

/* The command ended and all it wrote lies in the pipes: pass that on, as far as
 * the line takes it, then say the status.  May end the stream. */
void exec_settle(struct exec *x)
{
	if (!x->exited)
		return;
	while (x->out.fd >= 0 || x->err.fd >= 0) {
		bool more;

		if (!may_read(x)) {
			exec_pace(x);
			return;
		}
		more = forward(x, &x->out);
		more |= forward(x, &x->err);
		if (!more)
			break;
	}
	stream_exit(x->stream, x->exit_status);
}

static void read_status(struct exec *x)
{
	uint32_t status;
	ssize_t n = read(x->status.fd, &status, sizeof(status));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	x->exit_status = n == sizeof(status) && status <= 255 ? status : 255;
	x->exited = true;
	source_close(&x->status);
}

void exec_on_event(struct exec *x, struct source *s)
{
	struct stream *stream = x->stream;

	if (s == &x->status)
		read_status(x);
	else if (s == &x->in)
		write_input(x);
	else
		forward(x, s);
	exec_pace(x);
	stream_pump(stream); /* settles too */
}
