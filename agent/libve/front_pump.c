// SPDX-License-Identifier: Apache-2.0
#include "agent/libve/front_pump.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "agent/libve/clean.h"
#include "agent/libve/mono.h"

#define LINGER_MS 5000 /* for the peer to take the last bytes */

static void want(struct pump *p, struct pump_end *end, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = end };

	if (end->fd < 0 || events == end->watched)
		return;
	/* a descriptor with nothing to wait for would still report HUP */
	if (!events)
		epoll_ctl(p->ep, EPOLL_CTL_DEL, end->fd, NULL);
	else if (epoll_ctl(p->ep, end->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
			   end->fd, &ev) < 0)
		p->dead = true;
	end->watched = events;
}

struct pump *pump_create(int ep, int fd, SSL_CTX *ctx, unsigned handshake_ms)
{
	struct pump *p = xcalloc(1, sizeof(*p));

	*p = (struct pump){ .ep = ep, .handover = -1 };
	p->net = (struct pump_end){ .pump = p, .fd = fd };
	p->inner = (struct pump_end){ .pump = p, .fd = -1 };
	p->ssl = SSL_new(ctx);
	if (!p->ssl || SSL_set_fd(p->ssl, fd) != 1) {
		pump_destroy(p);
		return NULL;
	}
	SSL_set_accept_state(p->ssl);
	p->deadline = mono_ms() + handshake_ms;
	want(p, &p->net, EPOLLIN);
	return p;
}

void pump_destroy(struct pump *p)
{
	SSL_free(p->ssl);
	clean_close(&p->net.fd);
	clean_close(&p->inner.fd);
	clean_close(&p->handover);
	free(p);
}

static bool is_empty(const struct pump_flow *f)
{
	return f->from == f->to;
}

/* Room for the next read; the bytes move to the front when the end is near. */
static size_t room(struct pump_flow *f)
{
	if (is_empty(f))
		f->from = f->to = 0;
	return PUMP_BUFFER - f->to;
}

static void handshake(struct pump *p)
{
	int r, sv[2];

	ERR_clear_error();
	r = SSL_do_handshake(p->ssl);
	if (r != 1) {
		int why = SSL_get_error(p->ssl, r);

		p->read_wants_write = why == SSL_ERROR_WANT_WRITE;
		p->dead = why != SSL_ERROR_WANT_READ &&
			  why != SSL_ERROR_WANT_WRITE;
		ERR_clear_error();
		return;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       sv) < 0) {
		p->dead = true;
		return;
	}
	tls_peer_read(&p->peer, p->ssl);
	p->inner.fd = sv[0];
	p->handover = sv[1];
	p->ready = true;
	p->read_wants_write = false;
	p->deadline = 0;
}

/* Whether the TLS call that returned @r may be tried later. */
static bool again(struct pump *p, int r, bool *wants_other, int other)
{
	int why = SSL_get_error(p->ssl, r);

	*wants_other = why == other;
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return true;
	if (why == SSL_ERROR_ZERO_RETURN)
		p->in.ended = true;
	else
		p->dead = true;
	ERR_clear_error();
	return false;
}

static void read_net(struct pump *p)
{
	size_t n;

	while (!p->in.ended && !p->dead && (n = room(&p->in)) > 0) {
		int r;

		ERR_clear_error();
		r = SSL_read(p->ssl, p->in.data + p->in.to, (int)n);
		if (r <= 0) {
			again(p, r, &p->read_wants_write, SSL_ERROR_WANT_WRITE);
			return;
		}
		p->read_wants_write = false;
		p->in.to += (size_t)r;
	}
}

static void write_net(struct pump *p)
{
	while (!is_empty(&p->out) && !p->dead) {
		int r;

		ERR_clear_error();
		r = SSL_write(p->ssl, p->out.data + p->out.from,
			      (int)(p->out.to - p->out.from));
		if (r <= 0) {
			again(p, r, &p->write_wants_read, SSL_ERROR_WANT_READ);
			return;
		}
		p->write_wants_read = false;
		p->out.from += (size_t)r;
	}
	if (p->out.ended && !p->out.shut && !p->dead) {
		/* close_notify, then let the peer read what is under way */
		SSL_shutdown(p->ssl);
		ERR_clear_error();
		shutdown(p->net.fd, SHUT_WR);
		p->out.shut = true;
		p->deadline = mono_ms() + LINGER_MS;
	}
}

static void read_inner(struct pump *p)
{
	size_t n;

	while (!p->out.ended && (n = room(&p->out)) > 0) {
		ssize_t r = recv(p->inner.fd, p->out.data + p->out.to, n, 0);

		if (r > 0)
			p->out.to += (size_t)r;
		else if (r == 0 || (errno != EAGAIN && errno != EINTR))
			p->out.ended = true;
		else
			return;
	}
}

static void write_inner(struct pump *p)
{
	while (!is_empty(&p->in)) {
		ssize_t r = send(p->inner.fd, p->in.data + p->in.from,
				 p->in.to - p->in.from, MSG_NOSIGNAL);

		if (r < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (r < 0) {
			/* nobody reads any more: swallow the rest */
			p->in.from = p->in.to;
			return;
		}
		p->in.from += (size_t)r;
	}
	if (p->in.ended && !p->in.shut) {
		shutdown(p->inner.fd, SHUT_WR);
		p->in.shut = true;
	}
}

static void choose_events(struct pump *p)
{
	uint32_t net = 0, inner = 0;

	if (p->read_wants_write)
		net |= EPOLLOUT;
	if (!p->ready || (!p->in.ended && room(&p->in)) || p->write_wants_read)
		net |= EPOLLIN;
	if (p->ready && !is_empty(&p->out) && !p->write_wants_read)
		net |= EPOLLOUT;
	want(p, &p->net, net);
	if (!p->ready)
		return;
	if (!p->out.ended && room(&p->out))
		inner |= EPOLLIN;
	if (!is_empty(&p->in))
		inner |= EPOLLOUT;
	want(p, &p->inner, inner);
}

void pump_step(struct pump *p)
{
	if (p->dead)
		return;
	if (!p->ready)
		handshake(p);
	if (p->ready && !p->dead) {
		bool more = true;

		/* a full buffer that emptied may hide bytes that OpenSSL
		 * holds already, for which epoll would not wake us */
		while (more && !p->dead) {
			read_net(p);
			write_inner(p);
			more = !p->in.ended && is_empty(&p->in) &&
			       SSL_pending(p->ssl) > 0;
		}
		read_inner(p);
		write_net(p);
		if (p->in.shut && p->out.shut)
			p->dead = true;
	}
	if (!p->dead)
		choose_events(p);
}

int pump_take_inner(struct pump *p)
{
	return p->dead ? -1 : take_fd(&p->handover);
}
