// SPDX-License-Identifier: Apache-2.0
/*
 * A browser's end of a terminal, for tests: speaks TLS and WebSocket to a portal
 * and does what its arguments say, one after the other.
 *
 *   wsclient CA PORT PATH ORIGIN COOKIE OP...
 *
 *   auth:TICKET  input:TEXT  resize:COLSxROWS  size:N (a message of N bytes)
 *   byte:N (a message of the one byte N)
 *   until:TEXT   wait until the terminal has shown TEXT
 *   hello        wait for HELLO and print its numbers
 *   exit         wait for EXIT and print its status
 *   close        wait for the portal to close and print "close CODE"
 *   pipe         standard input goes in, what the terminal shows comes out
 *
 * In TEXT, \n and \r are what they are in C.  Each wait ends after 15 s (PATIENCE in the
 * environment) with "timeout" and exit status 1.  A handshake that is refused prints "http CODE".
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "agent/libve/buf.h"
#include "agent/libve/clean.h"
#include "agent/libve/wire.h"
#include "agent/libve/ws.h"

#define WAIT_S 15

static struct side {
	SSL *ssl;
	int fd;
	struct ws *ws;
	struct buf early, shown;
	bool hello, exited;
	uint64_t lo, hi;
	unsigned status;
} side;

static void die(const char *what)
{
	printf("%s\n", what);
	exit(1);
}

static ssize_t on_read(void *arg, void *data, size_t n)
{
	int r;

	if (side.early.len) {
		n = n < side.early.len ? n : side.early.len;
		memcpy(data, side.early.data, n);
		buf_shift(&side.early, n);
		return (ssize_t)n;
	}
	r = SSL_read(side.ssl, data, (int)n);
	if (r > 0)
		return r;
	r = SSL_get_error(side.ssl, r);
	return r == SSL_ERROR_WANT_READ || r == SSL_ERROR_WANT_WRITE ? -EAGAIN
								     : 0;
}

static ssize_t on_write(void *arg, const void *data, size_t n)
{
	int r = SSL_write(side.ssl, data, (int)n);

	return r > 0 ? r : -EAGAIN;
}

static void send_msg(const struct term_msg *m)
{
	_buf_ struct buf b = { 0 };

	term_encode(&b, m);
	ws_send(side.ws, b.data, b.len);
}

static void on_message(void *arg, const uint8_t *data, size_t n)
{
	struct term_msg m;

	if (term_decode(&m, TERM_FROM_SERVER, data, n))
		die("bad message from the portal");
	if (m.type == TERM_HELLO) {
		side.hello = true;
		side.lo = m.seq;
		side.hi = m.seq_hi;
	} else if (m.type == TERM_EXIT) {
		side.exited = true;
		side.status = m.status;
	} else if (m.type == TERM_DATA || m.type == TERM_SNAPSHOT) {
		buf_put(&side.shown, m.data, m.len);
		send_msg(&(struct term_msg){
			.type = TERM_ACK,
			.seq = m.seq + (m.type == TERM_DATA ? m.len : 0) });
	}
}

static void connect_tls(const char *ca, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(port)) };
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	side.fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(side.fd, (struct sockaddr *)&a, sizeof(a)))
		die("cannot connect");
	SSL_CTX_load_verify_locations(ctx, ca, NULL);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	side.ssl = SSL_new(ctx);
	SSL_set_tlsext_host_name(side.ssl, "localhost");
	SSL_set_fd(side.ssl, side.fd);
	if (SSL_connect(side.ssl) != 1)
		die("no TLS");
}

static void handshake(char **argv)
{
	_buf_ struct buf b = { 0 };
	char room[8192], *end;
	int got = 0, n;

	buf_printf(&b,
		   "GET %s HTTP/1.1\r\nHost: localhost:%s\r\nOrigin: %s\r\n"
		   "Cookie: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\n"
		   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		   argv[3], argv[2], argv[4], argv[5], TERM_PROTOCOL);
	SSL_write(side.ssl, b.data, (int)b.len);
	do {
		n = SSL_read(side.ssl, room + got, (int)sizeof(room) - 1 - got);
		if (n <= 0)
			die("no answer");
		got += n;
		room[got] = '\0';
		end = strstr(room, "\r\n\r\n");
	} while (!end);
	if (strncmp(room + 9, "101", 3) != 0) {
		printf("http %.3s\n", room + 9);
		exit(0);
	}
	if (!strstr(room, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
		die("wrong Sec-WebSocket-Accept");
	buf_put(&side.early, end + 4, (size_t)(room + got - end - 4));
}

static bool is_done(const char *op)
{
	if (!strncmp(op, "until:", 6))
		return side.shown.data && strstr(side.shown.data, op + 6);
	if (!strcmp(op, "hello"))
		return side.hello;
	if (!strcmp(op, "exit"))
		return side.exited;
	return ws_peer_code(side.ws);
}

static void wait_for(const char *op)
{
	const char *patience = getenv("PATIENCE");
	time_t deadline = time(NULL) + (patience ? atoi(patience) : WAIT_S);

	while (!is_done(op)) {
		struct pollfd p = { side.fd, POLLIN, 0 };

		if (ws_step(side.ws) && !is_done(op))
			die(ws_peer_code(side.ws) ? "closed" : "gone");
		if (is_done(op))
			break;
		if (ws_wants_write(side.ws))
			p.events |= POLLOUT;
		if (time(NULL) > deadline)
			die("timeout");
		poll(&p, 1, 200);
	}
}

static void say_shown(void)
{
	if (side.shown.len && fwrite(side.shown.data, side.shown.len, 1, stdout) != 1)
		exit(1);
	fflush(stdout);
	buf_shift(&side.shown, side.shown.len);
}

static void run_pipe(void)
{
	struct pollfd p[2] = { { side.fd, POLLIN, 0 }, { 0, POLLIN, 0 } };
	char room[4096];

	while (!ws_step(side.ws)) {
		say_shown();
		p[0].events = ws_wants_write(side.ws) ? POLLIN | POLLOUT : POLLIN;
		poll(p, 2, -1);
		if (p[1].revents) {
			ssize_t n = read(0, room, sizeof(room));

			if (n <= 0)
				break;
			send_msg(&(struct term_msg){ .type = TERM_INPUT,
						     .data = (uint8_t *)room,
						     .len = (size_t)n });
		}
	}
	exit(0);
}

static size_t unescape(char *s)
{
	char *out = s, *begin = s;

	for (; *s; s++) {
		if (s[0] == '\\' && (s[1] == 'n' || s[1] == 'r'))
			*out++ = *++s == 'n' ? '\n' : '\r';
		else
			*out++ = *s;
	}
	*out = '\0';
	return (size_t)(out - begin);
}

static void do_send(char *op, char *value)
{
	struct term_msg m = { 0 };
	unsigned cols = 0, rows = 0;
	size_t n;
	void *big;

	m.len = unescape(value);
	m.data = (uint8_t *)value;
	if (!strcmp(op, "auth")) {
		m.type = TERM_AUTH;
		send_msg(&m);
	} else if (!strcmp(op, "input")) {
		m.type = TERM_INPUT;
		send_msg(&m);
	} else if (!strcmp(op, "resize")) {
		sscanf(value, "%ux%u", &cols, &rows);
		m = (struct term_msg){ .type = TERM_RESIZE,
				       .cols = (uint16_t)cols,
				       .rows = (uint16_t)rows };
		send_msg(&m);
	} else if (!strcmp(op, "size")) {
		n = strtoul(value, NULL, 10);
		big = xcalloc(1, n);
		memset(big, TERM_INPUT, n);
		ws_send(side.ws, big, n);
		free(big);
	} else if (!strcmp(op, "byte")) {
		uint8_t byte = (uint8_t)atoi(value);

		ws_send(side.ws, &byte, 1);
	}
	ws_step(side.ws);
}

int main(int argc, char **argv)
{
	struct ws_conf c = { .client = true,
			     .max = TERM_MSG_MAX,
			     .read = on_read,
			     .write = on_write,
			     .on_message = on_message };

	if (argc < 6)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	connect_tls(argv[1], argv[2]);
	handshake(argv);
	fcntl(side.fd, F_SETFL, O_NONBLOCK);
	side.ws = ws_create(&c);
	for (int i = 6; i < argc; i++) {
		char *colon = strchr(argv[i], ':');

		if (strncmp(argv[i], "until:", 6) && colon) {
			*colon = '\0';
			do_send(argv[i], colon + 1);
			continue;
		}
		if (!strcmp(argv[i], "pipe"))
			run_pipe();
		unescape(argv[i]);
		wait_for(argv[i]);
		if (!strcmp(argv[i], "hello"))
			printf("hello %llu %llu\n", (unsigned long long)side.lo,
			       (unsigned long long)side.hi);
		else if (!strcmp(argv[i], "exit"))
			printf("exit %u\n", side.status);
		else if (!strcmp(argv[i], "close"))
			printf("close %u\n", ws_peer_code(side.ws));
		else
			printf("seen\n");
	}
	return 0;
}
