// SPDX-License-Identifier: Apache-2.0
#include "agent/http.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/api.h"
#include "agent/db.h"
#include "agent/libve/clean.h"
#include "agent/libve/front.h"
#include "agent/libve/log.h"
#include "agent/porting.h"

#define CONNECTIONS 8192
#define EACH 6144 /* of one address: a portal is one */
#define TIMEOUT_S 120
#define MEMORY 65536 /* of one connection, headers and all */
#define FDS 65536
#define PEM_MAX 65536
#define WAIT_MS 1000 /* who names no deadline looks again then */

static struct MHD_Daemon *mhd;
static SSL_CTX *tls;
static struct front *front;

/* Roles of the caller behind a descriptor that MHD has. */
static uint8_t roles_of_fd[FDS];

/* ---- the sanity filter: what MHD's lax parser lets through --------------- */

struct sanity {
	unsigned hosts, lengths, encodings;
	uint64_t length;
	bool bad;
};

static enum MHD_Result look_at(void *arg, enum MHD_ValueKind kind,
			       const char *key, const char *value)
{
	struct sanity *s = arg;
	char *end;

	if (strpbrk(key, " \t") || !value)
		s->bad = true;
	else if (!strcasecmp(key, "Host"))
		s->hosts++;
	else if (!strcasecmp(key, "Transfer-Encoding"))
		s->encodings++;
	else if (!strcasecmp(key, "Content-Length")) {
		s->lengths++;
		s->length = strtoull(value, &end, 10);
		s->bad |= !*value || *end || *value == '-' || *value == '+';
	}
	return MHD_YES;
}

static bool is_sane(struct MHD_Connection *c, const char *path,
		    uint64_t *length)
{
	struct sanity s = { 0 };

	MHD_get_connection_values(c, MHD_HEADER_KIND, look_at, &s);
	*length = s.length;
	if (s.bad || s.hosts > 1 || s.lengths > 1 || s.encodings)
		return false;
	for (const char *p = path; *p; p++)
		if (*p <= 0x20 || *p >= 0x7f || *p == '%')
			return false;
	return path[0] == '/' && !strstr(path, "//");
}

/* ---- request and reply --------------------------------------------------- */

const char *http_header(const struct request *q, const char *name)
{
	return MHD_lookup_connection_value(q->conn, MHD_HEADER_KIND, name);
}

const char *http_text(const struct request *q, const char *name)
{
	return MHD_lookup_connection_value(q->conn, MHD_GET_ARGUMENT_KIND,
					   name);
}

int http_argument(const struct request *q, const char *name, uint64_t max,
		  uint64_t *out)
{
	const char *s = http_text(q, name);
	char *end;
	uint64_t v;

	if (!s)
		return 0;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno || *s < '0' || *s > '9' || *end || v > max)
		return -EINVAL;
	*out = v;
	return 0;
}

void http_add(struct request *q, const char *name, const char *fmt, ...)
{
	va_list ap;

	if (q->nheaders == sizeof(q->headers) / sizeof(q->headers[0]))
		return;
	q->headers[q->nheaders].name = name;
	va_start(ap, fmt);
	vsnprintf(q->headers[q->nheaders].value, sizeof(q->headers[0].value),
		  fmt, ap);
	va_end(ap);
	q->nheaders++;
}

enum MHD_Result http_send(struct request *q, int status, const char *type,
			  struct buf *body)
{
	static atomic_uint_fast64_t serial;
	struct MHD_Response *r = MHD_create_response_from_buffer(
		body->len, body->data, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result ok;
	char id[40];

	buf_free(body);
	if (!r)
		return MHD_NO;
	snprintf(id, sizeof(id), "%.8s-%" PRIu64, api.boot_id,
		 (uint64_t)++serial);
	MHD_add_response_header(r, "X-Request-Id", id);
	MHD_add_response_header(r, "Cache-Control", "no-store");
	if (type)
		MHD_add_response_header(r, "Content-Type", type);
	for (unsigned i = 0; i < q->nheaders; i++)
		MHD_add_response_header(r, q->headers[i].name,
					q->headers[i].value);
	if (q->may_hold && !db_is_durable(db_written())) {
		if (http_hold_reader(q->conn)) {
			q->held = r;
			q->held_status = status;
			return MHD_YES;
		}
		db_sync();
	}
	ok = MHD_queue_response(q->conn, (unsigned)status, r);
	MHD_destroy_response(r);
	return ok;
}

/* What it tells of is on the disk now. */
static enum MHD_Result send_held(struct request *q)
{
	enum MHD_Result ok;

	ok = MHD_queue_response(q->conn, (unsigned)q->held_status, q->held);
	MHD_destroy_response(q->held);
	q->held = NULL;
	return ok;
}

enum MHD_Result http_json(struct request *q, int status, struct buf *body)
{
	return http_send(q, status, "application/json", body);
}

enum MHD_Result http_empty(struct request *q, int status)
{
	struct buf none = { 0 };

	return http_send(q, status, NULL, &none);
}

enum MHD_Result http_problem(struct request *q, int status, const char *name,
			     const char *fmt, ...)
{
	struct buf b = { 0 };
	struct json_out o = { .b = &b };
	char type[80], detail[240];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	snprintf(type, sizeof(type), "urn:vestibule:problem:%s", name);
	json_open(&o, NULL, '{');
	json_put_string(&o, "type", type);
	json_put_string(&o, "title", name);
	json_put_int(&o, "status", status);
	json_put_string(&o, "detail", detail);
	json_close(&o, '}');
	return http_send(q, status, "application/problem+json", &b);
}

/* ---- connections that wait ----------------------------------------------- */

#define WAITERS 1024 /* ports of VEs that sleep, and ours beside them */

struct waiter {
	struct MHD_Connection *conn;
	uint64_t topic;
	int64_t until; /* clock_mono() */
};

struct crowd {
	struct waiter of[WAITERS];
	unsigned n;
};

static pthread_mutex_t wait_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t held_more = PTHREAD_COND_INITIALIZER;
static struct crowd waiters; /* for a change */
static struct crowd holders; /* for the disk */
static uint64_t wakes;	     /* so many there were */

/* With the lock held: true and suspended, or false. */
static bool join(struct crowd *c, const struct waiter *w)
{
	if (c->n == WAITERS)
		return false;
	c->of[c->n++] = *w;
	MHD_suspend_connection(w->conn);
	return true;
}

uint64_t http_mark(void)
{
	uint64_t n;

	pthread_mutex_lock(&wait_lock);
	n = wakes;
	pthread_mutex_unlock(&wait_lock);
	return n;
}

bool http_wait_reader(struct MHD_Connection *conn, uint64_t topic,
		      uint64_t mark, int64_t deadline)
{
	struct waiter w = { conn, topic, deadline };
	bool joined;

	pthread_mutex_lock(&wait_lock);
	joined = join(&waiters, &w);
	/* perhaps that was it */
	if (joined && wakes != mark) {
		waiters.n--;
		MHD_resume_connection(conn);
	}
	pthread_mutex_unlock(&wait_lock);
	return joined;
}

bool http_hold_reader(struct MHD_Connection *conn)
{
	struct waiter w = { .conn = conn };
	bool joined;

	pthread_mutex_lock(&wait_lock);
	joined = join(&holders, &w);
	pthread_cond_signal(&held_more);
	pthread_mutex_unlock(&wait_lock);
	return joined;
}

/* One wait for the disk for all that have come meanwhile. */
static void *run_disk(void *arg)
{
	static struct crowd now;

	for (;;) {
		pthread_mutex_lock(&wait_lock);
		while (!holders.n)
			pthread_cond_wait(&held_more, &wait_lock);
		now = holders;
		holders.n = 0;
		pthread_mutex_unlock(&wait_lock);
		db_sync();
		while (now.n)
			MHD_resume_connection(now.of[--now.n].conn);
	}
	return NULL;
}

enum MHD_Result http_wait(struct request *q, uint64_t topic)
{
	int64_t until = q->deadline ? q->deadline : clock_mono() + WAIT_MS;

	if (!http_wait_reader(q->conn, topic, q->mark, until))
		return http_problem(q, 503, "capacity-exhausted",
				    "too many requests are waiting");
	return MHD_YES;
}

/* With the lock held. */
static void resume(unsigned i)
{
	struct MHD_Connection *conn = waiters.of[i].conn;

	waiters.of[i] = waiters.of[--waiters.n];
	MHD_resume_connection(conn);
}

void http_wake(uint64_t topic)
{
	pthread_mutex_lock(&wait_lock);
	wakes++;
	for (unsigned i = waiters.n; i-- > 0;)
		if (waiters.of[i].topic == topic)
			resume(i);
	pthread_mutex_unlock(&wait_lock);
}

void http_wake_due(int64_t now)
{
	pthread_mutex_lock(&wait_lock);
	for (unsigned i = waiters.n; i-- > 0;)
		if (waiters.of[i].until <= now)
			resume(i);
	pthread_mutex_unlock(&wait_lock);
}

/* ---- the way of a request ------------------------------------------------ */

static enum MHD_Result begin(struct request *q, const char *method,
			     const char *path)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		q->conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	uint64_t length;
	int status = 404;

	if (info && info->connect_fd >= 0 && info->connect_fd < FDS)
		q->roles = roles_of_fd[info->connect_fd];
	if (!is_sane(q->conn, path, &length))
		return http_problem(q, 400, "malformed",
				    "the request's path or headers are not"
				    " acceptable");
	q->route = route_find(method, path, q, &status);
	if (!q->route && status == 405)
		return http_problem(q, 405, "method", "%.16s is not for %.100s",
				    method, path);
	if (!q->route)
		return http_problem(q, 404, "not-found", "there is no %.100s",
				    path);
	if (!(q->route->roles & q->roles))
		return http_problem(q, 403, "role-refused",
				    "the certificate's role may not do this");
	if (length > q->route->body)
		return http_problem(q, 413, "too-large",
				    "a body of more than %zu bytes",
				    q->route->body);
	return MHD_YES;
}

static enum MHD_Result access_handler(void *arg, struct MHD_Connection *c,
				      const char *path, const char *method,
				      const char *version, const char *data,
				      size_t *size, void **con_cls)
{
	struct request *q = *con_cls;

	if (!q) {
		q = *con_cls = xcalloc(1, sizeof(*q));
		q->conn = c;
		return begin(q, method, path);
	}
	if (!q->route)
		return MHD_NO;
	if (*size) {
		q->too_large |= q->body.len + *size > q->route->body;
		if (!q->too_large)
			buf_put(&q->body, data, *size);
		*size = 0;
		return MHD_YES;
	}
	if (q->too_large)
		return http_problem(q, 413, "too-large",
				    "a body of more than %zu bytes",
				    q->route->body);
	if (q->held)
		return send_held(q);
	q->may_hold = true;
	q->nheaders = 0;
	q->mark = http_mark();
	if (strcmp(method, "GET"))
		log_info("%s %s%s", method, path,
			 q->roles & ROLE_LOCAL ? " (local)" : "");
	return q->route->run(q);
}

static void on_completed(void *arg, struct MHD_Connection *c, void **con_cls,
			 enum MHD_RequestTerminationCode code)
{
	struct request *q = *con_cls;

	if (!q)
		return;
	buf_free(&q->body);
	if (q->held)
		MHD_destroy_response(q->held);
	free(q->upgrade); /* the upgrade did not happen */
	porting_put(q->porting);
	free(q);
	*con_cls = NULL;
}

/* Percent signs stay: no path or argument of ours has one. */
static size_t keep_escapes(void *arg, struct MHD_Connection *c, char *s)
{
	return strlen(s);
}

/* MHD complains about sockets that are no TCP; nothing of it helps anyone. */
static void swallow(void *arg, const char *fmt, va_list ap)
{
}

/* ---- sockets in ---------------------------------------------------------- */

static void add_connection(int fd, unsigned roles)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (fd >= FDS) {
		close(fd);
		return;
	}
	roles_of_fd[fd] = (uint8_t)roles;
	if (MHD_add_connection(mhd, fd, (struct sockaddr *)&un, sizeof(un)) !=
	    MHD_YES)
		log_warn("a connection was not taken");
}

static void on_conn(void *arg, int fd, const struct tls_peer *peer)
{
	add_connection(fd,
		       peer->verified ? ROLE_ANY | route_roles(peer->role) : 0);
}

void http_accept_local(int listen_fd)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred who = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(who);

	if (fd < 0)
		return;
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len);
	/* the socket's mode lets in root, or whom development runs as */
	if (who.uid != 0 && who.uid != geteuid()) {
		close(fd);
		return;
	}
	add_connection(fd, ROLE_ANY | ROLE_CONTROL | ROLE_TERMINAL |
				   ROLE_METRICS | ROLE_LOCAL);
}

void http_listen(int fd)
{
	struct front_conf conf = { .ctx = tls,
				   .listen_fd = fd,
				   .max = CONNECTIONS,
				   .max_each = EACH,
				   .on_conn = on_conn };
	struct err e = { 0 };

	if (!tls)
		fatal("a listening socket, and no certificate");
	if (front_start(&front, &conf, &e) < 0)
		fatal("%s", e.text);
	log_info("listening on %s", api.conf->listen);
}

static bool read_pem(int fd, char *out, struct tls_text *t)
{
	size_t n = 0;
	ssize_t r;

	while ((r = pread(fd, out + n, PEM_MAX - n, (off_t)n)) > 0)
		n += (size_t)r;
	*t = (struct tls_text){ out, n };
	return r == 0 && n && n < PEM_MAX;
}

void http_renew(const int fds[static 3])
{
	static char pem[3][PEM_MAX]; /* the lines' thread only */
	struct tls_texts t = { 0 };
	struct err e = { 0 };
	SSL_CTX *ctx;

	if (!read_pem(fds[0], pem[0], &t.cert) ||
	    !read_pem(fds[1], pem[1], &t.key) ||
	    !read_pem(fds[2], pem[2], &t.ca))
		err_set(&e, -EINVAL, "a file is empty or too long");
	ctx = e.code ? NULL : tls_server_texts(&t, &e);
	OPENSSL_cleanse(pem, sizeof(pem));
	if (!ctx || !front) {
		log_err("the certificates stay as they were: %s",
			ctx ? "nothing listens" : e.text);
		SSL_CTX_free(ctx);
		return;
	}
	front_renew(front, ctx);
	log_info("new certificates");
}

void http_load(void)
{
	const struct conf *c = api.conf;
	struct tls_files files = { c->cert, c->key, c->ca };
	struct err e = { 0 };

	if (!c->listen[0])
		return;
	tls = tls_server(&files, &e);
	if (!tls)
		fatal("%s", e.text);
}

void http_start(void)
{
	pthread_t t;

	mhd = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET |
			MHD_USE_ITC | MHD_ALLOW_UPGRADE |
			MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
		0, NULL, NULL, access_handler, NULL, MHD_OPTION_EXTERNAL_LOGGER,
		swallow, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (!mhd || pthread_create(&t, NULL, run_disk, NULL))
		fatal("libmicrohttpd did not start");
}
