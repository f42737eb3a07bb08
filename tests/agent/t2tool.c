// SPDX-License-Identifier: Apache-2.0
/*
 * Helpers of the agent's tests:
 *   t2tool port                    a free TCP port on the loopback
 *   t2tool json PATH               of standard input: "spec.limits.0", "#" for a length
 *   t2tool grant KEYFILE VEID NODE KIND [EXP-OFFSET [NONCE]]
 *   t2tool orphan PROGRAM [ARG]...  run it with a line to us as descriptor 3 that
 *                                  ends at once; its status when it ends of that
 *   t2tool tcp DIR PORT PATH GRANT  a port: standard input there, what comes back out
 *   t2tool serve                    echo on a port of the loopback, which it prints
 *   t2tool ws DIR PORT PATH GRANT [-c COMMAND] STEP...
 * Steps of ws, in order: send=TEXT (\n, \x03), expect=TEXT (in the output so far),
 * resize=COLSxROWS, eof, exit=STATUS, close=CODE, seq (prints the last number),
 * patience=SECONDS (of each step from there on, 20), notice=CODE, file=PATH (until it is there), noack, fill=BYTES (sends lines), hello, snapshot, stderr=TEXT, raw=HEX, len=BYTES (of output so far, at least).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <openssl/rand.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/libve/clean.h"
#include "agent/libve/grant.h"
#include "agent/libve/stream.h"
#include "agent/libve/wire.h"
#include "agent/libve/ws.h"

static int64_t step_ms = 20000;

static int fail(const char *what, const char *detail)
{
	fprintf(stderr, "t2tool: %s: %s\n", what, detail);
	return 1;
}

static int do_port(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&in, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&in, &len) < 0)
		return fail("bind", strerror(errno));
	printf("%u\n", ntohs(in.sin_port));
	return 0;
}

static int do_orphan(char **argv)
{
	int sv[2], status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return fail("socketpair", strerror(errno));
	pid = fork();
	if (pid == 0) {
		/* dup2() onto itself would keep FD_CLOEXEC */
		fcntl(sv[1], F_SETFD, 0);
		if (sv[1] != 3)
			dup2(sv[1], 3);
		execv(argv[0], argv);
		_exit(127);
	}
	close(sv[0]);
	close(sv[1]);
	if (waitpid(pid, &status, 0) != pid)
		return fail("wait", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int print_member(struct json_object *o, char *path)
{
	for (char *part = strtok(path, "."); part; part = strtok(NULL, ".")) {
		if (!strcmp(part, "#")) {
			printf("%zu\n", json_object_array_length(o));
			return 0;
		}
		if (json_object_is_type(o, json_type_array))
			o = json_object_array_get_idx(o,
						      strtoul(part, NULL, 10));
		else if (!json_object_object_get_ex(o, part, &o))
			return fail("no member", part);
	}
	puts(json_object_is_type(o, json_type_string)
		     ? json_object_get_string(o)
		     : json_object_to_json_string_ext(
			       o, JSON_C_TO_STRING_PLAIN |
					  JSON_C_TO_STRING_NOSLASHESCAPE));
	return 0;
}

static int do_json(char *path)
{
	static char text[1 << 20];
	struct json_object *o;
	int r;

	text[fread(text, 1, sizeof(text) - 1, stdin)] = '\0';
	o = json_tokener_parse(text);
	if (!o)
		return fail("no JSON", text);
	r = print_member(o, path);
	json_object_put(o);
	return r;
}

static int do_grant(int argc, char **argv)
{
	struct grant g = { .veid = (uint32_t)strtoul(argv[1], NULL, 10),
			   .kind = !strcmp(argv[3], "exec") ? GRANT_EXEC
				   : atoi(argv[3])	    ? GRANT_PORT
							    : GRANT_TTY,
			   .port = (uint16_t)atoi(argv[3]),
			   .exp = time(NULL) + (argc > 4 ? atoi(argv[4]) : 60),
			   .sub = "s:test" };
	struct buf b _buf_ = { 0 };
	uint8_t key[GRANT_KEY], raw[16];
	char text[128] = "";
	FILE *f = fopen(argv[0], "r");

	if (!f || !fgets(text, sizeof(text), f) ||
	    grant_key_parse(key, text) < 0)
		return fail("key", argv[0]);
	fclose(f);
	snprintf(g.node, sizeof(g.node), "%s", argv[2]);
	RAND_bytes(raw, sizeof(raw));
	for (int i = 0; i < 16; i++)
		sprintf(g.nonce + 2 * i, "%02x", raw[i]);
	if (argc > 5)
		snprintf(g.nonce, sizeof(g.nonce), "%s", argv[5]);
	grant_make(&b, &g, key);
	puts(b.data);
	return 0;
}

/* ---- the client ------------------------------------------------------------ */

static struct client {
	struct stream *stream;
	struct ws *ws;
	struct buf out, err;
	uint64_t seq, hello_hi;
	int hello, snapshot, notice, exit_status; /* -1: none yet */
	bool noack, gone;
} c = { .exit_status = -1 };

static void send_msg(const struct term_msg *m)
{
	struct buf b _buf_ = { 0 };

	term_encode(&b, m);
	ws_send(c.ws, b.data, b.len);
}

static void on_message(void *arg, const uint8_t *data, size_t n)
{
	struct term_msg m;

	if (term_decode(&m, TERM_FROM_SERVER, data, n) < 0) {
		fail("server sent", "what does not decode");
		exit(1);
	}
	switch (m.type) {
	case TERM_HELLO:
		c.hello = 1;
		c.hello_hi = m.seq_hi;
		break;
	case TERM_SNAPSHOT:
		c.snapshot = 1;
		c.seq = m.seq;
		buf_put(&c.out, m.data, m.len);
		break;
	case TERM_DATA:
		c.seq = m.seq + m.len;
		buf_put(&c.out, m.data, m.len);
		if (!c.noack)
			send_msg(&(struct term_msg){ .type = TERM_ACK,
						     .seq = c.seq });
		break;
	case TERM_STDERR:
		buf_put(&c.err, m.data, m.len);
		break;
	case TERM_NOTICE:
		c.notice = m.code;
		break;
	case TERM_EXIT:
		c.exit_status = (int)m.status;
		break;
	default:
		break;
	}
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void turn(int ms)
{
	struct pollfd p = { .fd = stream_fd(c.stream) };

	if (c.gone)
		return;
	if (ws_step(c.ws) < 0) {
		c.gone = true;
		return;
	}
	p.events = POLLIN | (ws_wants_write(c.ws) ? POLLOUT : 0);
	poll(&p, 1, ms);
	if (ws_step(c.ws) < 0)
		c.gone = true;
}

/* "\n" and "\xNN" in an argument. */
static size_t unescape(char *s)
{
	char *to = s;
	unsigned v;

	for (char *p = s; *p; p++) {
		if (*p == '\\' && p[1] == 'n') {
			*to++ = '\n';
			p++;
		} else if (*p == '\\' && p[1] == 'x' &&
			   sscanf(p + 2, "%2x", &v) == 1) {
			*to++ = (char)v;
			p += 3;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
	return (size_t)(to - s);
}

static bool holds(const struct buf *b, const char *text)
{
	return b->len && memmem(b->data, b->len, text, strlen(text));
}

static bool reached(const char *step, const char *arg)
{
	if (!strcmp(step, "expect"))
		return holds(&c.out, arg);
	if (!strcmp(step, "stderr"))
		return holds(&c.err, arg);
	if (!strcmp(step, "hello"))
		return c.hello;
	if (!strcmp(step, "snapshot"))
		return c.snapshot;
	if (!strcmp(step, "notice"))
		return c.notice == atoi(arg);
	if (!strcmp(step, "file"))
		return access(arg, F_OK) == 0;
	if (!strcmp(step, "exit"))
		return c.exit_status == atoi(arg);
	if (!strcmp(step, "len"))
		return c.out.len >= strtoul(arg, NULL, 10);
	if (!strcmp(step, "close"))
		return c.gone && ws_peer_code(c.ws) == atoi(arg);
	return false;
}

static void fill(size_t n)
{
	static uint8_t line[1000];

	memset(line, 'p', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	for (; n >= sizeof(line); n -= sizeof(line))
		send_msg(&(struct term_msg){ .type = TERM_INPUT,
					     .data = line,
					     .len = sizeof(line) });
}

static bool act(const char *step, char *arg)
{
	struct term_msg m = { 0 };
	unsigned cols, rows, v;
	struct buf raw _buf_ = { 0 };

	if (!strcmp(step, "send")) {
		m.type = TERM_INPUT;
		m.len = unescape(arg);
		m.data = (uint8_t *)arg;
	} else if (!strcmp(step, "resize") &&
		   sscanf(arg, "%ux%u", &cols, &rows) == 2) {
		m.type = TERM_RESIZE;
		m.cols = (uint16_t)cols;
		m.rows = (uint16_t)rows;
	} else if (!strcmp(step, "eof")) {
		m.type = TERM_EOF;
	} else if (!strcmp(step, "seq")) {
		printf("%llu\n", (unsigned long long)c.seq);
		return true;
	} else if (!strcmp(step, "patience")) {
		step_ms = atoi(arg) * 1000;
		return true;
	} else if (!strcmp(step, "noack")) {
		c.noack = true;
		return true;
	} else if (!strcmp(step, "fill")) {
		fill(strtoul(arg, NULL, 10));
		return true;
	} else if (!strcmp(step, "raw")) {
		for (; sscanf(arg, "%2x", &v) == 1; arg += 2)
			buf_put(&raw, &(char){ (char)v }, 1);
		ws_send(c.ws, raw.data, raw.len);
		return true;
	} else {
		return false;
	}
	send_msg(&m);
	return true;
}

static int run_steps(int n, char **steps)
{
	for (int i = 0; i < n; i++) {
		int64_t until = now_ms() + step_ms;
		char *name = strtok(steps[i], "=");
		char *arg = strtok(NULL, "");

		if (!arg)
			arg = name + strlen(name);
		if (act(name, arg)) {
			turn(0);
			continue;
		}
		unescape(arg);
		while (!reached(name, arg)) {
			if (c.gone || now_ms() > until) {
				fprintf(stderr,
					"t2tool: step %s=%s: %s (close %u,"
					" exit %d); output:\n%.*s\n",
					name, arg,
					c.gone ? "closed" : "timeout",
					ws_peer_code(c.ws), c.exit_status,
					(int)c.out.len, c.out.data);
				return 1;
			}
			turn(100);
		}
	}
	return 0;
}

static ssize_t read_stream(void *arg, void *buf, size_t n)
{
	return stream_read(c.stream, buf, n);
}

static ssize_t write_stream(void *arg, const void *buf, size_t n)
{
	return stream_write(c.stream, buf, n);
}

static SSL_CTX *client_ctx(const char *dir, struct err *e)
{
	char *ca _free_ = xasprintf("%s/ca.crt", dir);
	char *cert _free_ = xasprintf("%s/terminal.crt", dir);
	char *key _free_ = xasprintf("%s/terminal.key", dir);

	return tls_client(&(struct tls_files){ cert, key, ca }, e);
}

static int do_ws(int argc, char **argv)
{
	struct stream_conf conf = { .host = "127.0.0.1",
				    .port = argv[1],
				    .node = "n1",
				    .path = argv[2],
				    .grant = argv[3] };
	struct ws_conf wconf = { .client = true,
				 .max = TERM_MSG_MAX,
				 .read = read_stream,
				 .write = write_stream,
				 .on_message = on_message };
	struct err e = { 0 };
	int first = 4, r;

	if (argc > 5 && !strcmp(argv[4], "-c")) {
		conf.command = argv[5];
		first = 6;
	}
	conf.ctx = client_ctx(argv[0], &e);
	if (!conf.ctx)
		return fail("certificates", e.text);
	if (stream_open(&c.stream, &conf, &e) < 0) {
		r = fail("open", e.text);
	} else {
		c.ws = ws_create(&wconf);
		r = run_steps(argc - first, argv + first);
		ws_destroy(c.ws);
		stream_destroy(c.stream);
	}
	SSL_CTX_free(conf.ctx);
	buf_free(&c.out);
	buf_free(&c.err);
	return r;
}

/* argv: DIR PORT PATH GRANT */
static int do_tcp(char **argv)
{
	struct stream_conf conf = { .host = "127.0.0.1",
				    .port = argv[1],
				    .node = "n1",
				    .path = argv[2],
				    .grant = *argv[3] ? argv[3] : NULL,
				    .port_stream = true,
				    .timeout_ms = 60000 };
	struct buf up _buf_ = { 0 };
	struct err e = { 0 };
	bool ended = false;
	char data[16384];
	ssize_t n;

	conf.ctx = client_ctx(argv[0], &e);
	if (!conf.ctx || stream_open(&c.stream, &conf, &e) < 0)
		return fail("port", e.text);
	for (;;) {
		struct pollfd p[2] = {
			{ .fd = stream_fd(c.stream), .events = POLLIN },
			{ .fd = ended || up.len ? -1 : 0, .events = POLLIN },
		};

		while ((n = stream_read(c.stream, data, sizeof(data))) > 0)
			if (write(1, data, (size_t)n) < 0)
				return 1;
		if (n != -EAGAIN)
			return n == 0 ? 0 : fail("port", "broken");
		n = up.len ? stream_write(c.stream, up.data, up.len) : 0;
		if (n > 0)
			buf_shift(&up, (size_t)n);
		if (up.len)
			p[0].events |= POLLOUT;
		if (poll(p, 2, n > 0 ? 0 : 1000) < 1 || !p[1].revents)
			continue;
		n = read(0, data, sizeof(data));
		ended = n <= 0;
		if (n > 0)
			buf_put(&up, data, (size_t)n);
	}
}

/* Gives back what it gets, until a line "bye". */
static void echo(int fd)
{
	char data[16384];
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0) {
		if (write(fd, data, (size_t)n) < 0)
			break;
		if (n >= 4 && !memcmp(data + n - 4, "bye\n", 4))
			break;
	}
	exit(0);
}

static int do_serve(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&in, len) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&in, &len) < 0)
		return fail("listen", strerror(errno));
	printf("%u\n", ntohs(in.sin_port));
	fflush(stdout);
	for (;;) {
		int conn = accept(fd, NULL, NULL);

		if (conn >= 0 && fork() == 0)
			echo(conn);
		close(conn);
	}
}

int main(int argc, char **argv)
{
	alarm(120);
	if (argc == 2 && !strcmp(argv[1], "port"))
		return do_port();
	if (argc >= 3 && !strcmp(argv[1], "orphan"))
		return do_orphan(argv + 2);
	if (argc == 3 && !strcmp(argv[1], "json"))
		return do_json(argv[2]);
	if (argc >= 6 && !strcmp(argv[1], "grant"))
		return do_grant(argc - 2, argv + 2);
	if (argc == 2 && !strcmp(argv[1], "serve"))
		return do_serve();
	if (argc == 6 && !strcmp(argv[1], "tcp"))
		return do_tcp(argv + 2);
	if (argc >= 6 && !strcmp(argv[1], "ws"))
		return do_ws(argc - 2, argv + 2);
	return fail("usage", "see the head of t2tool.c");
}
