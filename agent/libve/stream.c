// SPDX-License-Identifier: Apache-2.0
#include "agent/libve/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "agent/libve/buf.h"
#include "agent/libve/clean.h"
#include "agent/libve/client.h"
#include "agent/libve/grant.h"
#include "agent/libve/json.h"
#include "agent/libve/mono.h"
#include "agent/libve/tls_again.h"
#include "agent/libve/wire.h"
#include "agent/libve/ws.h"

#define HEAD_MAX 16384

enum phase {
	PHASE_CONNECT,
	PHASE_TLS,
	PHASE_SEND,
	PHASE_RECEIVE,
	PHASE_OPEN,
};

struct stream {
	int fd;
	SSL *ssl; /* NULL on a Unix socket */
	enum phase phase;
	uint32_t events;
	int64_t deadline;
	struct buf out; /* the request, as far as not sent */
	struct buf in; /* the reply; behind it bytes of the stream */
	char node[TLS_NAME];
	char accept[WS_ACCEPT_LEN]; /* "": a port */
	int status;
	char problem[48];
};

static int connect_unix(const char *path, struct err *e)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(un.sun_path))
		return err_set(e, -ENAMETOOLONG, "socket %s: name too long",
			       path);
	strcpy(un.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "socket");
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
		int r = err_sys(e, "agent at %s", path);

		close(fd);
		return r;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static int connect_tcp(const char *host, const char *port, struct err *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *ai;
	int fd, on = 1;

	if (getaddrinfo(host, port, &hints, &ai))
		return err_set(e, -EHOSTUNREACH, "cannot resolve %s", host);
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0);
	if (fd < 0) {
		freeaddrinfo(ai);
		return err_sys(e, "socket");
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0 &&
	    errno != EINPROGRESS) {
		int r = err_sys(e, "agent at %s port %s", host, port);

		close(fd);
		fd = r;
	}
	freeaddrinfo(ai);
	return fd;
}

static void write_handshake(struct stream *s)
{
	uint8_t nonce[16];
	char key[25];

	RAND_bytes(nonce, sizeof(nonce));
	EVP_EncodeBlock((uint8_t *)key, nonce, sizeof(nonce));
	ws_accept(s->accept, key);
	buf_printf(&s->out,
		   "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		   "Sec-WebSocket-Key: %s\r\n"
		   "Sec-WebSocket-Protocol: " TERM_PROTOCOL "\r\n",
		   key);
}

static void write_request(struct stream *s, const struct stream_conf *conf)
{
	buf_printf(&s->out,
		   "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\n",
		   conf->path, conf->host ? conf->host : "localhost");
	if (conf->port_stream)
		buf_puts(&s->out, "Upgrade: " PORT_PROTOCOL "\r\n");
	else
		write_handshake(s);
	if (conf->grant)
		buf_printf(&s->out, "Ve-Grant: %s\r\n", conf->grant);
	if (conf->command) {
		size_t n = strlen(conf->command);
		char *text _free_ = xmalloc(n / 3 * 4 + 8);

		EVP_EncodeBlock((uint8_t *)text, (const uint8_t *)conf->command,
				(int)n);
		buf_printf(&s->out, "Ve-Command: %s\r\n", text);
	}
	buf_puts(&s->out, "\r\n");
}

int stream_start(struct stream **out, const struct stream_conf *conf,
		 struct err *e)
{
	struct stream *s;
	int fd;

	if (conf->path[0] != '/' || strpbrk(conf->path, " \r\n") ||
	    (conf->grant && strpbrk(conf->grant, " \r\n")) ||
	    (conf->node && strlen(conf->node) >= TLS_NAME))
		return err_set(e, -EINVAL, "malformed path, grant or node");
	fd = conf->unix_path ? connect_unix(conf->unix_path, e)
			     : connect_tcp(conf->host, conf->port, e);
	if (fd < 0)
		return fd;
	s = xcalloc(1, sizeof(*s));
	s->fd = fd;
	s->events = EPOLLOUT;
	s->deadline = mono_ms() + (conf->timeout_ms ? conf->timeout_ms : 10000);
	if (conf->node)
		strcpy(s->node, conf->node);
	if (!conf->unix_path) {
		s->ssl = SSL_new(conf->ctx);
		if (!s->ssl || SSL_set_fd(s->ssl, fd) != 1) {
			stream_destroy(s);
			return err_set(e, -ENOMEM, "TLS: %s", tls_reason());
		}
		SSL_set_connect_state(s->ssl);
		tls_again(s->ssl, s->node);
	}
	write_request(s, conf);
	*out = s;
	return 0;
}

void stream_destroy(struct stream *s)
{
	if (!s)
		return;
	if (s->ssl && s->phase == PHASE_OPEN)
		SSL_shutdown(s->ssl);
	SSL_free(s->ssl);
	ERR_clear_error();
	clean_close(&s->fd);
	buf_free(&s->out);
	buf_free(&s->in);
	free(s);
}

/* Translate a TLS call that returned @r: 0 at the end, -EAGAIN, -EIO. */
static ssize_t ssl_result(struct stream *s, int r)
{
	switch (SSL_get_error(s->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		s->events = EPOLLIN;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		s->events = EPOLLOUT;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		return -EIO;
	}
}

static ssize_t raw_read(struct stream *s, void *buf, size_t n)
{
	ssize_t r;

	s->events = 0;
	if (!s->ssl) {
		r = read(s->fd, buf, n);
		return r < 0 ? -errno : r;
	}
	ERR_clear_error();
	r = SSL_read(s->ssl, buf, n > INT32_MAX ? INT32_MAX : (int)n);
	return r > 0 ? r : ssl_result(s, (int)r);
}

static ssize_t raw_write(struct stream *s, const void *buf, size_t n)
{
	ssize_t r;

	s->events = 0;
	if (!s->ssl) {
		r = send(s->fd, buf, n, MSG_NOSIGNAL);
		return r < 0 ? -errno : r;
	}
	ERR_clear_error();
	r = SSL_write(s->ssl, buf, n > INT32_MAX ? INT32_MAX : (int)n);
	return r > 0 ? r : ssl_result(s, (int)r);
}

ssize_t stream_read(void *arg, void *buf, size_t n)
{
	struct stream *s = arg;

	if (s->in.len) {
		n = n < s->in.len ? n : s->in.len;
		memcpy(buf, s->in.data, n);
		buf_shift(&s->in, n);
		return (ssize_t)n;
	}
	return raw_read(s, buf, n);
}

ssize_t stream_write(void *arg, const void *buf, size_t n)
{
	return raw_write(arg, buf, n);
}

static int step_connect(struct stream *s, struct err *e)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int why = 0;

	if (poll(&p, 1, 0) == 0)
		return -EAGAIN;
	getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &why, &len);
	if (why)
		return err_set(e, -why, "connecting to the agent: %s",
			       strerror(why));
	s->phase = s->ssl ? PHASE_TLS : PHASE_SEND;
	return 0;
}

static int step_tls(struct stream *s, struct err *e)
{
	struct tls_peer peer = { 0 };
	int r;

	ERR_clear_error();
	r = SSL_do_handshake(s->ssl);
	if (r != 1) {
		if (ssl_result(s, r) == -EAGAIN)
			return -EAGAIN;
		return err_set(e, -EACCES, "TLS with the agent: %s",
			       tls_reason());
	}
	tls_peer_read(&peer, s->ssl);
	if (s->node[0] && strcmp(peer.node, s->node))
		return err_set(e, -EACCES, "the server is not node %s",
			       s->node);
	s->phase = PHASE_SEND;
	return 0;
}

static int step_send(struct stream *s, struct err *e)
{
	while (s->out.len) {
		ssize_t r = raw_write(s, s->out.data, s->out.len);

		if (r == -EAGAIN) {
			s->events = s->events ? s->events : EPOLLOUT;
			return -EAGAIN;
		}
		if (r <= 0)
			return err_set(e, -EPIPE, "the agent hung up");
		buf_shift(&s->out, (size_t)r);
	}
	s->phase = PHASE_RECEIVE;
	return 0;
}

/* Value of header @name in the reply's head, copied to @out; "" if missing. */
static void header(const char *head, const char *name, char *out, size_t size)
{
	size_t n = strlen(name);
	const char *line = strstr(head, "\r\n");

	out[0] = '\0';
	for (; line && line[2]; line = strstr(line + 2, "\r\n")) {
		const char *v = line + 2 + n;
		size_t len;

		if (strncasecmp(line + 2, name, n) || *v != ':')
			continue;
		v += 1 + strspn(v + 1, " \t");
		len = strcspn(v, "\r\n");
		if (len < size) {
			memcpy(out, v, len);
			out[len] = '\0';
		}
		return;
	}
}

struct problem {
	char type[96], detail[240];
};

static const struct json_field problem_fields[] = {
	JSON_ROW_STRING("type", struct problem, type, 0, 0, 95),
	JSON_ROW_STRING("detail", struct problem, detail, 0, 0, 239),
	JSON_ROW_END,
};

static int refused(struct stream *s, const char *body, struct err *e)
{
	struct problem p = { 0 };
	const char *colon;

	json_decode(body, strlen(body), HEAD_MAX, problem_fields, &p, false,
		    NULL);
	colon = strrchr(p.type, ':');
	if (colon && strlen(colon + 1) < sizeof(s->problem))
		strcpy(s->problem, colon + 1);
	return err_set(e, -EPROTO, "the agent answered %d: %s", s->status,
		       p.detail[0] ? p.detail : "no reason given");
}

static bool handshake_fits(const struct stream *s)
{
	char accept[64], proto[64];

	if (!s->accept[0]) {
		header(s->in.data, "Upgrade", proto, sizeof(proto));
		return !strcmp(proto, PORT_PROTOCOL);
	}
	header(s->in.data, "Sec-WebSocket-Accept", accept, sizeof(accept));
	header(s->in.data, "Sec-WebSocket-Protocol", proto, sizeof(proto));
	return !strcmp(accept, s->accept) && !strcmp(proto, TERM_PROTOCOL);
}

static int check_reply(struct stream *s, struct err *e)
{
	char *end = strstr(s->in.data, "\r\n\r\n");

	if (strncmp(s->in.data, "HTTP/1.1 ", 9))
		return err_set(e, -EPROTO, "the agent does not speak HTTP");
	s->status = atoi(s->in.data + 9);
	end[2] = '\0'; /* ends the head; the body lies behind */
	if (s->status != 101)
		return refused(s, end + 4, e);
	if (!handshake_fits(s))
		return err_set(e, -EPROTO, "the agent's handshake is wrong");
	buf_shift(&s->in, (size_t)(end + 4 - s->in.data));
	s->phase = PHASE_OPEN;
	return 0;
}

/* Whether the reply is there as far as we need it. */
static bool reply_complete(const struct stream *s, bool ended)
{
	const char *end = s->in.len ? strstr(s->in.data, "\r\n\r\n") : NULL;
	char text[16];
	size_t body;

	if (!end)
		return false;
	if (ended || !strncmp(s->in.data, "HTTP/1.1 101", 12))
		return true;
	header(s->in.data, "Content-Length", text, sizeof(text));
	body = strtoul(text, NULL, 10);
	return s->in.len - (size_t)(end + 4 - s->in.data) >= body;
}

static int step_receive(struct stream *s, struct err *e)
{
	char chunk[2048];

	for (;;) {
		ssize_t r = raw_read(s, chunk, sizeof(chunk));

		if (r == -EAGAIN) {
			s->events = s->events ? s->events : EPOLLIN;
			return -EAGAIN;
		}
		if (r > 0)
			buf_put(&s->in, chunk, (size_t)r);
		if (reply_complete(s, r <= 0))
			return check_reply(s, e);
		if (r <= 0 || s->in.len > HEAD_MAX)
			return err_set(e, -EPROTO, "the agent hung up");
	}
}

int stream_step(struct stream *s, struct err *e)
{
	static int (*const steps[])(struct stream *, struct err *) = {
		[PHASE_CONNECT] = step_connect,
		[PHASE_TLS] = step_tls,
		[PHASE_SEND] = step_send,
		[PHASE_RECEIVE] = step_receive,
	};

	while (s->phase != PHASE_OPEN) {
		int r = steps[s->phase](s, e);

		if (r == -EAGAIN && mono_ms() >= s->deadline)
			return err_set(e, -ETIMEDOUT,
				       "the agent did not answer in time");
		if (r < 0)
			return r;
	}
	s->events = 0;
	return 0;
}

int stream_open(struct stream **out, const struct stream_conf *conf,
		struct err *e)
{
	struct stream *s;
	int r = stream_start(&s, conf, e);

	if (r < 0)
		return r;
	while ((r = stream_step(s, e)) == -EAGAIN) {
		struct pollfd p = {
			.fd = s->fd,
			.events = s->events & EPOLLOUT ? POLLOUT : POLLIN,
		};

		poll(&p, 1, stream_timeout(s));
	}
	*out = s;
	if (r < 0) {
		*out = NULL;
		stream_destroy(s);
	}
	return r;
}

int stream_fd(const struct stream *s)
{
	return s->fd;
}

uint32_t stream_events(const struct stream *s)
{
	return s->events;
}

int stream_timeout(const struct stream *s)
{
	int64_t left = s->deadline - mono_ms();

	return left > 0 ? (int)left : 0;
}

int stream_status(const struct stream *s)
{
	return s->status;
}

const char *stream_problem(const struct stream *s)
{
	return s->problem;
}
