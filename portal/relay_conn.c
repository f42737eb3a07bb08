// SPDX-License-Identifier: Apache-2.0
#include "portal/relay_impl.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <json-c/json.h>
#include <microhttpd.h>

#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "agent/libve/mono.h"
#include "portal/certs.h"
#include "portal/db_ve.h"
#include "portal/fault.h"
#include "portal/url.h"
#include "portal/worker.h"

#define TICKET_MS 5000
#define CONNECT_MS 30000 /* a VE that sleeps is woken first */
#define SILENT_MS 150000 /* a page out of sight pings once a minute */
#define CLOSING_MS 2000
#define QUEUE_HIGH (256u << 10)
#define QUEUE_LOW (64u << 10)
#define HELD_MAX (256u << 10)
#define CLOSE_TRY_AGAIN TERM_CLOSE_GOING_AWAY

static ssize_t web_read(void *arg, void *data, size_t n)
{
	struct relay *r = arg;

	if (!r->early.len)
		return ws_fd_read(&r->fd, data, n);
	if (n > r->early.len)
		n = r->early.len;
	memcpy(data, r->early.data, n);
	buf_shift(&r->early, n);
	return (ssize_t)n;
}

static ssize_t web_write(void *arg, const void *data, size_t n)
{
	struct relay *r = arg;

	return ws_fd_write(&r->fd, data, n);
}

static ssize_t node_read(void *arg, void *data, size_t n)
{
	struct relay *r = arg;

	return stream_read(r->stream, data, n);
}

static ssize_t node_write(void *arg, const void *data, size_t n)
{
	struct relay *r = arg;

	return stream_write(r->stream, data, n);
}

static void drop_node(struct relay *r)
{
	ws_destroy(r->node);
	stream_destroy(r->stream);
	r->node = NULL;
	r->stream = NULL;
	r->node_watched = 0;
}

static void set_state(struct relay *r, enum relay_state state)
{
	pthread_mutex_lock(&r->all->lock);
	r->state = state;
	pthread_mutex_unlock(&r->all->lock);
}

void relay_close(struct relay *r, uint16_t code)
{
	if (r->state >= RELAY_CLOSING)
		return;
	ws_close(r->web, code, "");
	ws_pause(r->web, r->web_paused = false);
	r->deadline = mono_ms() + CLOSING_MS;
	set_state(r, RELAY_CLOSING);
}

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v)
						     : "";
}

/* In a worker: a resolver may take its time, and all terminals would wait. */
static int find_node(struct relay *r, struct err *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *ai;
	struct url url;
	int rc = url_parse(&url, text_of(r->grant, "url"), e);

	if (rc)
		return rc;
	if (getaddrinfo(url.host, url.port, &hints, &ai))
		return err_set(e, -EHOSTUNREACH, "cannot resolve %s", url.host);
	rc = getnameinfo(ai->ai_addr, ai->ai_addrlen, r->host, sizeof(r->host),
			 r->port, sizeof(r->port),
			 NI_NUMERICHOST | NI_NUMERICSERV);
	freeaddrinfo(ai);
	return rc ? err_set(e, -EHOSTUNREACH, "%s: %s", url.host,
			    gai_strerror(rc))
		  : 0;
}

/* In a worker: the ticket for a grant. */
static void ask_grant(struct db *db, void *arg)
{
	struct relay *r = arg;
	struct relays *all = r->all;
	struct err e = { 0 };
	uint64_t one = 1;

	r->rc = db_ticket_redeem(db, r->wish.token, r->wish.veid, r->ticket,
				 &r->grant, &e);
	if (!r->rc && *text_of(r->grant, "url") && find_node(r, &e)) {
		log_warn("VE %u: %s", r->wish.veid, e.text);
		r->rc = fault_code(FAULT_AWAY);
	}
	pthread_mutex_lock(&all->lock);
	r->asked = false;
	pthread_mutex_unlock(&all->lock);
	if (write(all->wake, &one, sizeof(one)) < 0)
		log_err("the relays cannot be woken");
}

static void take_ticket(struct relay *r, const struct term_msg *m)
{
	char text[TOKEN_TEXT];

	snprintf(text, sizeof(text), "%.*s", (int)m->len,
		 (const char *)m->data);
	if (m->type != TERM_AUTH || m->len != TOKEN_TEXT - 1 ||
	    !token_is_valid(text)) {
		relay_close(r, TERM_CLOSE_REFUSED);
		return;
	}
	token_hash(r->ticket, text);
	r->asked = true;
	r->deadline = 0;
	set_state(r, RELAY_GRANT);
	if (workers_push(r->all->workers, LANE_LIGHT, ask_grant, r)) {
		r->asked = false;
		relay_close(r, CLOSE_TRY_AGAIN);
	}
}

/* The terminal is not there yet: keep what is typed, but not without end. */
static void hold(struct relay *r, const uint8_t *data, uint32_t n)
{
	if (r->held.len + n > HELD_MAX) {
		relay_close(r, CLOSE_TRY_AGAIN);
		return;
	}
	buf_put(&r->held, &n, sizeof(n));
	buf_put(&r->held, data, n);
}

static void release(struct relay *r)
{
	uint32_t n;

	for (size_t at = 0; at < r->held.len; at += sizeof(n) + n) {
		memcpy(&n, r->held.data + at, sizeof(n));
		ws_send(r->node, r->held.data + at + sizeof(n), n);
	}
	buf_free(&r->held);
}

static void on_web(void *arg, const uint8_t *data, size_t n)
{
	struct relay *r = arg;
	struct term_msg m;

	r->heard = mono_ms();
	if (r->state >= RELAY_CLOSING)
		return;
	if (term_decode(&m, TERM_FROM_CLIENT, data, n)) {
		relay_close(r, TERM_CLOSE_REFUSED);
		return;
	}
	if (r->state == RELAY_TICKET) {
		take_ticket(r, &m);
	} else if (m.type == TERM_AUTH) {
		relay_close(r, TERM_CLOSE_REFUSED);
	} else if (r->state == RELAY_OPEN && r->greeted) {
		ws_send(r->node, data, n);
		r->web_paused = ws_queued(r->node) > QUEUE_HIGH;
		ws_pause(r->web, r->web_paused);
	} else {
		hold(r, data, (uint32_t)n);
	}
}

static void on_node(void *arg, const uint8_t *data, size_t n)
{
	struct relay *r = arg;
	struct term_msg m;

	if (r->state != RELAY_OPEN)
		return;
	if (term_decode(&m, TERM_FROM_SERVER, data, n)) {
		log_warn("VE %u: the agent sent what is no ve-term.v1",
			 r->wish.veid);
		relay_close(r, TERM_CLOSE_GOING_AWAY);
		return;
	}
	if (!r->greeted) {
		r->greeted = true;
		release(r);
	}
	ws_send(r->web, data, n);
	r->node_paused = ws_queued(r->web) > QUEUE_HIGH;
	ws_pause(r->node, r->node_paused);
}

void relay_begin(struct relay *r)
{
	struct ws_conf c = { .max = TERM_MSG_MAX,
			     .read = web_read,
			     .write = web_write,
			     .on_message = on_web,
			     .arg = r };

	r->web = ws_create(&c);
	r->heard = mono_ms();
	r->deadline = r->heard + TICKET_MS;
}

static int start_stream(struct relay *r, struct err *e)
{
	char path[200], from[40] = "";
	struct stream_conf c = { .host = r->host,
				 .port = r->port,
				 .ctx = certs_box_get(r->all->certs),
				 .node = text_of(r->grant, "node"),
				 .path = path,
				 .grant = text_of(r->grant, "grant"),
				 .timeout_ms = CONNECT_MS };
	int rc;

	if (r->wish.from != UINT64_MAX)
		snprintf(from, sizeof(from), "from=%llu&",
			 (unsigned long long)r->wish.from);
	snprintf(path, sizeof(path),
		 "/v1/ves/%u/terminals/%s/ws?%scols=%u&rows=%u&kind=tty",
		 r->wish.veid, r->wish.name, from, r->wish.cols, r->wish.rows);
	rc = stream_start(&r->stream, &c, e);
	SSL_CTX_free(c.ctx); /* the stream has its own reference */
	return rc;
}

/* Whether the session ended between the database's answer and now. */
static bool is_gone(const struct relays *all, int64_t session)
{
	for (size_t i = 0; i < RELAY_GONE; i++)
		if (all->gone[i] == session)
			return true;
	return false;
}

/* The worker has answered. */
static void take_grant(struct relay *r)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (r->rc) {
		int status = fault_of(r->rc)->status;

		relay_close(r, status == 401   ? TERM_CLOSE_SESSION
			       : status == 403 ? TERM_CLOSE_SUSPENDED
			       : status == 404 || status == 409
				       ? TERM_CLOSE_NO_VE
				       : CLOSE_TRY_AGAIN);
		return;
	}
	if (!json_object_object_get_ex(r->grant, "session", &v)) {
		relay_close(r, TERM_CLOSE_REFUSED);
		return;
	}
	pthread_mutex_lock(&r->all->lock);
	r->session = json_object_get_int64(v);
	r->state = RELAY_CONNECT;
	pthread_mutex_unlock(&r->all->lock);
	if (is_gone(r->all, r->session)) {
		relay_close(r, TERM_CLOSE_SESSION);
		return;
	}
	if (start_stream(r, &e)) {
		log_warn("VE %u: %s", r->wish.veid, e.text);
		relay_close(r, CLOSE_TRY_AGAIN);
	}
}

/* Why the node has no terminal for us.  The data base gave the ticket a moment
 * ago, and knows first: to a node that says "suspended", word of a suspension's
 * end is still on its way. */
static uint16_t code_of_problem(const struct relay *r)
{
	const char *name = stream_problem(r->stream);

	if (!strcmp(name, "suspended"))
		return CLOSE_TRY_AGAIN;
	if (stream_status(r->stream) == 404)
		return TERM_CLOSE_NO_VE;
	if (!strcmp(name, "grant-refused"))
		return TERM_CLOSE_REFUSED;
	return CLOSE_TRY_AGAIN;
}

static void step_connect(struct relay *r)
{
	struct ws_conf c = { .client = true,
			     .max = TERM_MSG_MAX,
			     .read = node_read,
			     .write = node_write,
			     .on_message = on_node,
			     .arg = r };
	struct err e = { 0 };
	int rc = stream_step(r->stream, &e);

	if (rc == -EAGAIN)
		return;
	if (rc) {
		log_warn("VE %u: %s", r->wish.veid, e.text);
		relay_close(r, code_of_problem(r));
		return;
	}
	r->node = ws_create(&c);
	set_state(r, RELAY_OPEN);
}

/* What the node closed with, as a code that may stand in a close frame. */
static uint16_t code_of_peer(const struct relay *r)
{
	uint16_t code = ws_peer_code(r->node);
	bool real = code >= 1000 && code != 1004 && code != 1005 &&
		    code != 1006 && code != 1015;

	if (code == TERM_CLOSE_SUSPENDED && !r->greeted)
		return CLOSE_TRY_AGAIN; /* see code_of_problem() */
	return real ? code : TERM_CLOSE_GOING_AWAY;
}

/* Go on with a side that waited for the other; true when one did. */
static bool thaw(struct relay *r)
{
	bool any = false;

	if (r->node_paused && ws_queued(r->web) < QUEUE_LOW) {
		ws_pause(r->node, r->node_paused = false);
		any = true;
	}
	if (r->web_paused && ws_queued(r->node) < QUEUE_LOW) {
		ws_pause(r->web, r->web_paused = false);
		any = true;
	}
	return any;
}

/* Move what can be moved, but not for ever: others wait too. */
static void step_open(struct relay *r)
{
	int rounds = 0;

	r->again = false;
	do {
		if (ws_step(r->node)) {
			relay_close(r, code_of_peer(r));
			return;
		}
		if (ws_step(r->web)) {
			set_state(r, RELAY_DEAD);
			return;
		}
		r->again = thaw(r);
	} while (r->again && ++rounds < 4);
}

static void check_time(struct relay *r)
{
	int64_t now = mono_ms();

	if (r->state == RELAY_TICKET && now >= r->deadline)
		relay_close(r, TERM_CLOSE_AUTH_TIMEOUT);
	else if (r->state == RELAY_CLOSING && now >= r->deadline)
		set_state(r, RELAY_DEAD);
	else if (r->state == RELAY_OPEN && !r->web_paused &&
		 now - r->heard > SILENT_MS)
		relay_close(r, TERM_CLOSE_GOING_AWAY);
}

static void watch(struct relay *r, int fd, uint32_t *has, uint32_t want)
{
	struct epoll_event ev = { .events = want, .data.ptr = r };
	int op = !*has ? EPOLL_CTL_ADD : want ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;

	if (fd < 0 || *has == want)
		return;
	if (!epoll_ctl(r->all->ep, op, fd, &ev))
		*has = want;
}

static void watch_both(struct relay *r)
{
	uint32_t want = 0;

	if (ws_wants_read(r->web))
		want |= EPOLLIN;
	if (ws_wants_write(r->web))
		want |= EPOLLOUT;
	watch(r, r->fd, &r->web_watched, want);
	if (!r->stream)
		return;
	want = stream_events(r->stream);
	if (r->node && ws_wants_read(r->node))
		want |= EPOLLIN;
	if (r->node && ws_wants_write(r->node))
		want |= EPOLLOUT;
	watch(r, stream_fd(r->stream), &r->node_watched, want);
}

void relay_step(struct relay *r)
{
	check_time(r);
	if (ws_step(r->web))
		set_state(r, RELAY_DEAD);
	if (r->state == RELAY_GRANT && !r->asked)
		take_grant(r);
	if (r->state == RELAY_CONNECT)
		step_connect(r);
	if (r->state == RELAY_OPEN)
		step_open(r);
	if (r->state < RELAY_CLOSING && ws_closing(r->web))
		relay_close(r, TERM_CLOSE_GOING_AWAY);
	if (r->state < RELAY_DEAD && ws_step(r->web))
		set_state(r, RELAY_DEAD);
	if (r->state >= RELAY_CLOSING)
		drop_node(r);
	if (r->state < RELAY_DEAD)
		watch_both(r);
}

int64_t relay_due(const struct relay *r)
{
	int64_t now = mono_ms(), at;

	if (r->state == RELAY_TICKET || r->state == RELAY_CLOSING)
		at = r->deadline;
	else if (r->state == RELAY_CONNECT)
		return stream_timeout(r->stream);
	else if (r->state == RELAY_OPEN && r->again)
		return 0;
	else if (r->state == RELAY_OPEN)
		at = r->heard + SILENT_MS + 1;
	else
		return -1;
	return at > now ? at - now : 0;
}

void relay_free(struct relay *r)
{
	drop_node(r);
	ws_destroy(r->web);
	epoll_ctl(r->all->ep, EPOLL_CTL_DEL, r->fd, NULL);
	MHD_upgrade_action(r->urh, MHD_UPGRADE_ACTION_CLOSE);
	json_object_put(r->grant);
	buf_free(&r->early);
	buf_free(&r->held);
	free(r);
}
