// SPDX-License-Identifier: Apache-2.0
#include "portal/proxy.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <json-c/json.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/libve/mono.h"
#include "agent/libve/stream.h"
#include "portal/certs.h"
#include "portal/db_ve.h"
#include "portal/fault.h"
#include "portal/gate.h"
#include "portal/proxy_head.h"
#include "portal/proxy_impl.h"
#include "portal/url.h"
#include "portal/worker.h"

#define STACK (256u << 10)
#define HEAD_MS 10000
#define OPEN_MS 60000
#define TURN_MS 20000 /* for a turn to wake; a grant lasts a minute */

struct proxy *proxy_create(const struct conf *c, struct certs_box *certs)
{
	struct proxy *p;

	if (!c->domain)
		return NULL;
	p = xcalloc(1, sizeof(*p));
	p->domain = c->domain;
	p->certs = certs;
	p->gate = gate_create();
	return p;
}

void proxy_run(struct proxy *p, struct workers *workers)
{
	if (p)
		p->workers = workers;
}

bool proxy_wants(const struct proxy *p, const char *name)
{
	const char *dot = strchr(name, '.');

	return p && dot && dot > name && !strcasecmp(dot + 1, p->domain);
}

/* In a worker: the name for a grant. */
static void ask_grant(struct db *db, void *arg)
{
	struct visit *v = arg;

	v->rc = db_port_grant(db, v->label, v->address, &v->grant, &v->e);
	pthread_mutex_lock(&v->lock);
	v->answered = true;
	pthread_cond_signal(&v->change);
	pthread_mutex_unlock(&v->lock);
}

static int get_grant(struct visit *v)
{
	if (workers_push(v->proxy->workers, LANE_LIGHT, ask_grant, v))
		return err_set(&v->e, fault_code(FAULT_BUSY),
			       "please try again in a moment");
	pthread_mutex_lock(&v->lock);
	while (!v->answered)
		pthread_cond_wait(&v->change, &v->lock);
	pthread_mutex_unlock(&v->lock);
	return v->rc;
}

/* Wait for all of the request's head. */
static int read_head(struct visit *v)
{
	int64_t deadline = mono_ms() + HEAD_MS;

	while (!(v->head = head_length(v->in.data, v->in.len))) {
		struct pollfd p = { .fd = v->fd, .events = POLLIN };
		int64_t left = deadline - mono_ms();
		char room[4096];
		ssize_t n;

		if (v->in.len > HEAD_MAX)
			return err_set(&v->e, fault_code(FAULT_TOO_LARGE),
				       "the request's head is too long");
		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return -EPIPE;
		n = recv(v->fd, room, sizeof(room), 0);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return -EPIPE;
		if (n > 0)
			buf_put(&v->in, room, (size_t)n);
	}
	return 0;
}

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v)
						     : "";
}

/* As stream_open(), but the stream stays and tells why it did not open. */
static int await_stream(struct visit *v, const struct stream_conf *c,
			struct err *e)
{
	int rc = stream_start(&v->stream, c, e);

	if (rc)
		return rc;
	while ((rc = stream_step(v->stream, e)) == -EAGAIN) {
		struct pollfd p = { .fd = stream_fd(v->stream) };

		p.events = stream_events(v->stream) & EPOLLOUT ? POLLOUT
							       : POLLIN;
		poll(&p, 1, stream_timeout(v->stream));
	}
	return rc;
}

static int open_stream(struct visit *v)
{
	char path[64];
	struct url url;
	struct stream_conf c = { .host = url.host,
				 .port = url.port,
				 .ctx = certs_box_get(v->proxy->certs),
				 .node = text_of(v->grant, "node"),
				 .path = path,
				 .grant = text_of(v->grant, "grant"),
				 .port_stream = true,
				 .timeout_ms = OPEN_MS };
	struct err why = { 0 };
	int rc = url_parse(&url, text_of(v->grant, "url"), &v->e);

	snprintf(path, sizeof(path), "/v1/ves/%s/ports/%s",
		 text_of(v->grant, "veid"), text_of(v->grant, "port"));
	if (!rc)
		rc = await_stream(v, &c, &why);
	SSL_CTX_free(c.ctx); /* the stream has its own reference */
	if (rc)
		log_info("%s: %s", v->label, why.text);
	if (rc && v->stream &&
	    !strcmp(stream_problem(v->stream), "port-closed"))
		err_set(&v->e, fault_code_of_state("VE026"),
			"nobody listens on port %s in this environment",
			text_of(v->grant, "port"));
	else if (rc)
		err_set(&v->e, fault_code_of_state("VE027"),
			"the environment could not be reached");
	return rc;
}

/* A VE that sleeps is woken in its turn; the visitor waits for the answer. */
static int wake_and_open(struct visit *v)
{
	struct gate *g = v->proxy->gate;
	uint32_t veid = (uint32_t)atoi(text_of(v->grant, "veid"));
	int rc;

	if (!strcmp(text_of(v->grant, "awake"), "true"))
		return open_stream(v);
	if (gate_wake(g, text_of(v->grant, "node"), veid, TURN_MS))
		return err_set(&v->e, fault_code(FAULT_BUSY),
			       "many environments are being woken; "
			       "please try again in a moment");
	rc = open_stream(v);
	gate_woken(g, veid);
	return rc;
}

static int serve(struct visit *v)
{
	_buf_ struct buf head = { 0 };
	bool upgrade = false;
	int rc = read_head(v);
	size_t n;

	if (!rc)
		rc = head_rewrite(&head, v->in.data, v->head, v->host,
				  v->address, &upgrade, &v->e);
	if (!rc)
		rc = get_grant(v);
	if (!rc)
		rc = wake_and_open(v);
	if (rc)
		return rc;
	n = head.len;
	buf_put(&head, v->in.data + v->head, v->in.len - v->head);
	visit_pump(v, &head, upgrade ? n : 0);
	return 0;
}

/* A few words in plain text; the VE's own pages are its own affair. */
static void refuse(struct visit *v)
{
	const struct fault *f = fault_of(v->e.code);
	_buf_ struct buf b = { 0 };

	buf_printf(&b,
		   "HTTP/1.1 %d %s\r\nContent-Type: text/plain; "
		   "charset=utf-8\r\nConnection: close\r\n"
		   "Cache-Control: no-store\r\n",
		   f->status, f->title);
	if (f->retry_after)
		buf_printf(&b, "Retry-After: %d\r\n", f->retry_after);
	buf_printf(&b, "Content-Length: %zu\r\n\r\n%s: %s\n",
		   strlen(f->title) + strlen(v->e.text) + 3, f->title,
		   v->e.text);
	/* a visitor who has left misses nothing */
	(void)!send(v->fd, b.data, b.len, MSG_NOSIGNAL);
}

static void visit_free(struct visit *v)
{
	stream_destroy(v->stream);
	json_object_put(v->grant);
	buf_free(&v->in);
	close(v->fd);
	free(v);
}

static void visit_end(struct visit *v)
{
	gate_leave(v->proxy->gate, &v->peer);
	visit_free(v);
}

static void *visit_run(void *arg)
{
	struct visit *v = arg;

	if (serve(v) && v->e.code)
		refuse(v);
	visit_end(v);
	return NULL;
}

void proxy_take(struct proxy *p, int fd, const struct addr *peer,
		const char *name)
{
	struct visit *v = xcalloc(1, sizeof(*v));
	pthread_attr_t attr;
	pthread_t t;
	int rc;

	*v = (struct visit){ .proxy = p, .fd = fd, .peer = *peer };
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->change, NULL);
	addr_print(v->address, peer);
	snprintf(v->host, sizeof(v->host), "%s", name);
	snprintf(v->label, sizeof(v->label), "%.*s", (int)strcspn(name, "."),
		 name);
	for (char *c = v->label; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
	rc = gate_enter(p->gate, peer);
	if (rc) {
		err_set(&v->e, fault_code(FAULT_BUSY), "%s",
			rc == -EDQUOT ? "your network has as many connections "
					"here as it may"
				      : "please try again in a moment");
		refuse(v);
		visit_free(v);
		return;
	}
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&t, &attr, visit_run, v);
	pthread_attr_destroy(&attr);
	if (rc)
		visit_end(v);
}
