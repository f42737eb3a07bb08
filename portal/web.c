// SPDX-License-Identifier: Apache-2.0
#include "portal/web.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <microhttpd.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "portal/answer.h"
#include "portal/asset.h"
#include "portal/certs.h"
#include "portal/channel.h"
#include "portal/ear.h"
#include "portal/fault.h"
#include "portal/line.h"
#include "portal/passwd.h"
#include "portal/proxy.h"
#include "portal/relay.h"
#include "portal/route.h"
#include "portal/sandbox.h"
#include "portal/sanity.h"
#include "portal/serve.h"
#include "portal/slow.h"
#include "portal/tmpl.h"
#include "portal/web_send.h"
#include "portal/worker.h"

#define CONNECTIONS 4096
#define IDLE_SECONDS 30

struct web {
	struct web_site site;
	struct certs_box certs; /* what agents are shown */
	struct MHD_Daemon *mhd;
	struct proxy *proxy;
	struct slow *slow;
};

struct pending {
	struct request *r;
	struct MHD_Connection *conn;
};

const struct web_site *web_site(const struct web *w)
{
	return &w->site;
}

struct headers {
	struct request *r;
	struct sanity *s;
};

static void copy(char *to, size_t size, const char *value)
{
	snprintf(to, size, "%s", strlen(value) < size ? value : "?");
}

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind,
				   const char *name, size_t name_len,
				   const char *value, size_t value_len)
{
	struct headers *h = cls;
	struct request *r = h->r;

	value = value ? value : "";
	sanity_header(h->s, name, name_len, value, value_len);
	if (!strcasecmp(name, "cookie"))
		request_cookies(r, value);
	else if (!strcasecmp(name, "origin"))
		copy(r->origin, sizeof(r->origin), value);
	else if (!strcasecmp(name, "content-type"))
		copy(r->type, sizeof(r->type), value);
	else if (!strcasecmp(name, "x-csrf-token"))
		copy(r->csrf, sizeof(r->csrf), value);
	else if (!strcasecmp(name, "sec-fetch-site"))
		copy(r->site, sizeof(r->site), value);
	return MHD_YES;
}

static enum method method_of(const char *name)
{
	if (!strcmp(name, "GET") || !strcmp(name, "HEAD"))
		return METHOD_GET;
	if (!strcmp(name, "POST"))
		return METHOD_POST;
	return strcmp(name, "DELETE") ? METHOD_OTHER : METHOD_DELETE;
}

static void take_address(struct request *r, struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct addr a = { 0 };

	if (info && info->client_addr->sa_family == AF_INET) {
		a.family = 4;
		memcpy(a.bytes,
		       &((struct sockaddr_in *)info->client_addr)->sin_addr, 4);
	} else if (info && info->client_addr->sa_family == AF_INET6) {
		a.family = 6;
		memcpy(a.bytes,
		       &((struct sockaddr_in6 *)info->client_addr)->sin6_addr,
		       16);
	}
	addr_print(r->address, &a);
}

/* All that can be said before the body is there.  0, or a fault's code. */
static int look_at(struct request *r, struct MHD_Connection *conn,
		   const char *method, const char *version, struct err *e)
{
	struct sanity s = { 0 };
	struct headers h = { r, &s };
	int rc;

	sanity_target(&s, r->target);
	MHD_get_connection_values_n(conn, MHD_HEADER_KIND, take_header, &h);
	if (sanity_end(&s, method, version, r->web->site.host))
		return err_set(e, s.e.code, "%s", s.e.text);
	r->method = method_of(method);
	take_address(r, conn);
	rc = route_find(r, e);
	if (!rc && s.length > r->route->bound)
		rc = err_set(e, fault_code(FAULT_TOO_LARGE),
			     "a body here has at most %zu bytes",
			     r->route->bound);
	if (!rc && r->route->flags & SOCKET)
		rc = send_socket_wanted(conn, r, e);
	return rc;
}

/* A worker is done with it: back to libmicrohttpd's thread. */
static void work_on(struct db *db, void *arg)
{
	struct pending *p = arg;

	serve_request(db, p->r);
	MHD_resume_connection(p->conn);
	free(p);
}

static enum MHD_Result dispatch(struct request *r, struct MHD_Connection *conn)
{
	struct pending *p;

	if (r->queued)
		return send_answer(r, conn);
	r->queued = true;
	slow_there(r->web->slow, conn);
	if (r->route->lane == LANE_NONE) {
		r->route->handler(r);
		return send_answer(r, conn);
	}
	p = xcalloc(1, sizeof(*p));
	*p = (struct pending){ r, conn };
	MHD_suspend_connection(conn);
	if (workers_push(r->web->site.workers, r->route->lane, work_on, p)) {
		struct err e = { 0 };

		free(p);
		err_set(&e, fault_code(FAULT_BUSY),
			"please try again in a moment");
		answer_fault(r, &e);
		MHD_resume_connection(conn);
	}
	return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *conn,
				  const char *url, const char *method,
				  const char *version, const char *data,
				  size_t *size, void **con_cls)
{
	struct request *r = *con_cls;
	struct err e = { 0 };

	if (!r)
		return MHD_NO;
	if (!r->route) {
		if (look_at(r, conn, method, version, &e)) {
			answer_fault(r, &e);
			return send_refusal(r, conn);
		}
		return MHD_YES;
	}
	if (*size) {
		if (r->body.len + *size <= r->route->bound)
			buf_put(&r->body, data, *size);
		*size = 0;
		return MHD_YES;
	}
	return dispatch(r, conn);
}

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *conn)
{
	return request_create(cls, uri);
}

static void on_completed(void *cls, struct MHD_Connection *conn, void **con_cls,
			 enum MHD_RequestTerminationCode why)
{
	struct web *w = cls;

	request_destroy(*con_cls);
	*con_cls = NULL;
	slow_again(w->slow, conn);
}

/* Paths are matched as they are sent: nothing is decoded. */
static size_t no_unescape(void *cls, struct MHD_Connection *conn, char *s)
{
	return strlen(s);
}

static void no_log(void *cls, const char *fmt, va_list ap)
{
}

static int start_mhd(struct web *w, struct err *e)
{
	w->mhd = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL |
			MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC |
			MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE |
			MHD_USE_ERROR_LOG,
		0, NULL, NULL, on_request, w, MHD_OPTION_EXTERNAL_LOGGER,
		no_log, NULL, MHD_OPTION_URI_LOG_CALLBACK, on_uri, w,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, w,
		MHD_OPTION_NOTIFY_CONNECTION, slow_on_connection, w->slow,
		MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, NULL,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)32768,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	return w->mhd ? 0 : err_set(e, -EIO, "cannot start libmicrohttpd");
}

static int set_origin(struct web_site *s, const struct conf *c, struct err *e)
{
	static const char scheme[] = "https://";
	size_t n = sizeof(scheme) - 1;

	if (strncmp(c->public_url, scheme, n) != 0 ||
	    strchr(c->public_url + n, '/') ||
	    strlen(c->public_url) >= sizeof(s->origin))
		return err_set(e, -EINVAL,
			       "public_url must be https://host[:port]");
	strcpy(s->origin, c->public_url);
	s->host = s->origin + n;
	s->is_local = strstr(s->host, "localhost") || s->host[0] == '[' ||
		      (s->host[0] >= '0' && s->host[0] <= '9');
	s->ssh_host = c->ssh_host;
	s->ssh_port = c->ssh_port;
	return 0;
}

static int prepare(struct web *w, const struct conf *c, struct err *e)
{
	struct tls_files files = { .cert = c->terminal_cert,
				   .key = c->terminal_key,
				   .ca = c->node_ca };
	int rc = set_origin(&w->site, c, e);

	if (!rc)
		certs_box_init(&w->certs, tls_client(&files, e));
	if (!rc)
		rc = e->code;
	if (!rc)
		rc = tmpl_load(&w->site.pages, c->www, e);
	if (!rc)
		rc = asset_load(&w->site.assets, c->www, e);
	if (!rc)
		rc = relays_start(&w->site.relays, &w->certs, e);
	w->proxy = proxy_create(c, &w->certs);
	w->site.domain = c->domain;
	return rc;
}

static void add_connection(struct web *w, int fd, const struct addr *peer)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	enum MHD_Result rc;

	memcpy(&in4.sin_addr, peer->bytes, 4);
	memcpy(&in6.sin6_addr, peer->bytes, 16);
	if (peer->family == 6)
		rc = MHD_add_connection(w->mhd, fd, (struct sockaddr *)&in6,
					sizeof(in6));
	else
		rc = MHD_add_connection(w->mhd, fd, (struct sockaddr *)&in4,
					sizeof(in4));
	if (rc != MHD_YES)
		log_warn("a connection could not be taken");
}

int web_run(const struct conf *c, int channel, int certs, struct err *e)
{
	struct web *w = xcalloc(1, sizeof(*w));
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int rc = prepare(w, c, e);

	if (rc)
		return rc;
	rc = sandbox_drop(c->user, e);
	if (!rc)
		rc = sandbox_enter(SANDBOX_WEB, e);
	if (rc)
		return rc;
	passwd_init();
	w->site.workers =
		workers_start(c->db, 4, (cpus > 0 ? (unsigned)cpus : 1) + 2);
	relays_run(w->site.relays, w->site.workers);
	proxy_run(w->proxy, w->site.workers);
	ear_start(c->db, w->site.relays);
	w->site.line = line_start(c->db);
	w->slow = slow_start();
	rc = certs_watch(certs, &w->certs, e);
	if (!rc)
		rc = start_mhd(w, e);
	while (!rc) {
		struct arrival who;
		int fd = channel_receive(channel, &who);

		if (fd == -EPIPE)
			exit(0);
		if (fd >= 0 && proxy_wants(w->proxy, who.name))
			proxy_take(w->proxy, fd, &who.address, who.name);
		else if (fd >= 0)
			add_connection(w, fd, &who.address);
	}
	return rc;
}
