// SPDX-License-Identifier: Apache-2.0
#include "agent/libve/front.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "agent/libve/clean.h"
#include "agent/libve/front_pump.h"
#include "agent/libve/log.h"
#include "agent/libve/mono.h"

#define BATCH 64
#define HANDSHAKES_EACH 512 /* under way, of one address */
#define LISTEN_MS 5000 /* for a former life to let go of the port */
#define LISTEN_AGAIN_MS 50

struct front {
	struct front_conf conf;
	pthread_t thread;
	int ep, wake;
	struct pump *all; /* list of connections */
	atomic_uint count;
	atomic_bool ending;
	_Atomic(SSL_CTX *) fresh; /* to be used from now on */
	bool renewed;		  /* conf.ctx is ours */
	bool resting; /* out of descriptors: the listener is not watched */
};

static char listener_tag, wake_tag;

static void watch(struct front *f, int fd, uint32_t events, void *tag)
{
	struct epoll_event ev = { .events = events, .data.ptr = tag };

	if (epoll_ctl(f->ep, EPOLL_CTL_ADD, fd, &ev) < 0)
		epoll_ctl(f->ep, EPOLL_CTL_MOD, fd, &ev);
}

static void read_address(struct addr *a, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *in = (const void *)ss;
	const struct sockaddr_in6 *in6 = (const void *)ss;

	*a = (struct addr){ 0 };
	if (ss->ss_family == AF_INET) {
		a->family = 4;
		memcpy(a->bytes, &in->sin_addr, 4);
	} else if (ss->ss_family == AF_INET6 &&
		   IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		a->family = 4;
		memcpy(a->bytes, in6->sin6_addr.s6_addr + 12, 4);
	} else if (ss->ss_family == AF_INET6) {
		a->family = 6;
		memcpy(a->bytes, &in6->sin6_addr, 16);
	}
}

static bool same_place(const struct addr *a, const struct addr *b)
{
	return a->family == b->family &&
	       !memcmp(a->bytes, b->bytes, a->family == 6 ? 8 : 4);
}

static bool has_room(const struct front *f, const struct addr *a)
{
	unsigned each = 0, fresh = 0;

	if (f->count >= f->conf.max)
		return false;
	for (const struct pump *p = f->all; p; p = p->next) {
		if (!same_place(&p->peer.address, a))
			continue;
		each++;
		fresh += !p->ready;
	}
	return (!f->conf.max_each || each < f->conf.max_each) &&
	       fresh < HANDSHAKES_EACH;
}

/* false when there is nothing more to accept now. */
static bool accept_one(struct front *f)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	int fd = accept4(f->conf.listen_fd, (struct sockaddr *)&ss, &len,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct addr a;
	struct pump *p;
	int on = 1, gone_ms = 60000;

	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		       errno == ENOBUFS)) {
		epoll_ctl(f->ep, EPOLL_CTL_DEL, f->conf.listen_fd, NULL);
		f->resting = true;
		return false;
	}
	if (fd < 0)
		return errno == ECONNABORTED || errno == EINTR;
	read_address(&a, &ss);
	if (!has_room(f, &a)) {
		close(fd);
		return true;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* a peer that vanished without a word */
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_ms,
		   sizeof(gone_ms));
	p = pump_create(f->ep, fd, f->conf.ctx, f->conf.handshake_ms);
	if (!p)
		return true;
	p->peer.address = a;
	p->next = f->all;
	f->all = p;
	f->count++;
	return true;
}

static void take_fresh(struct front *f)
{
	SSL_CTX *fresh = atomic_exchange(&f->fresh, NULL);

	if (!fresh)
		return;
	if (f->renewed)
		SSL_CTX_free(f->conf.ctx);
	f->conf.ctx = fresh;
	f->renewed = true;
}

static void accept_some(struct front *f)
{
	take_fresh(f);
	for (int i = 0; i < BATCH; i++)
		if (!accept_one(f))
			return;
}

static void step(struct front *f, struct pump *p)
{
	int inner;

	pump_step(p);
	inner = pump_take_inner(p);
	if (inner >= 0)
		f->conf.on_conn(f->conf.arg, inner, &p->peer);
}

/* Drop what ended or is out of time. */
static void sweep(struct front *f, bool all)
{
	int64_t now = mono_ms();

	for (struct pump **at = &f->all; *at;) {
		struct pump *p = *at;

		if (!all && !p->dead && !(p->deadline && p->deadline <= now)) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		pump_destroy(p);
		f->count--;
	}
}

static void *run(void *arg)
{
	struct front *f = arg;
	struct epoll_event ev[BATCH];

	watch(f, f->conf.listen_fd, EPOLLIN, &listener_tag);
	watch(f, f->wake, EPOLLIN, &wake_tag);
	while (!f->ending) {
		int n = epoll_wait(f->ep, ev, BATCH, 500);

		for (int i = 0; i < n; i++) {
			if (ev[i].data.ptr == &listener_tag)
				accept_some(f);
			else if (ev[i].data.ptr != &wake_tag)
				step(f, pump_of(ev[i].data.ptr));
		}
		sweep(f, false);
		if (n <= 0 && f->resting) {
			watch(f, f->conf.listen_fd, EPOLLIN, &listener_tag);
			f->resting = false;
		}
	}
	sweep(f, true);
	return NULL;
}

int front_start(struct front **out, const struct front_conf *conf,
		struct err *e)
{
	struct front *f = xcalloc(1, sizeof(*f));
	int r;

	f->conf = *conf;
	f->conf.max = conf->max ? conf->max : 4096;
	f->conf.handshake_ms = conf->handshake_ms ? conf->handshake_ms : 10000;
	f->ep = epoll_create1(EPOLL_CLOEXEC);
	f->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = f->ep < 0 || f->wake < 0 ? errno
				     : pthread_create(&f->thread, NULL, run, f);
	if (r) {
		clean_close(&f->ep);
		clean_close(&f->wake);
		free(f);
		return err_set(e, -r, "TLS front: %s", strerror(r));
	}
	*out = f;
	return 0;
}

void front_renew(struct front *f, SSL_CTX *ctx)
{
	SSL_CTX_free(atomic_exchange(&f->fresh, ctx));
}

void front_stop(struct front *f)
{
	uint64_t one = 1;

	if (!f)
		return;
	f->ending = true;
	if (write(f->wake, &one, sizeof(one)) < 0)
		log_warn("waking the TLS front failed");
	pthread_join(f->thread, NULL);
	close(f->conf.listen_fd);
	close(f->ep);
	close(f->wake);
	take_fresh(f);
	if (f->renewed)
		SSL_CTX_free(f->conf.ctx);
	free(f);
}

unsigned front_count(const struct front *f)
{
	return f->count;
}

/* Split "host:port" in place; brackets around an IPv6 address come off. */
static char *split_port(char *text, char **host)
{
	char *colon = strrchr(text, ':');

	if (!colon)
		return NULL;
	*colon = '\0';
	*host = text;
	if (text[0] == '[' && colon > text && colon[-1] == ']') {
		colon[-1] = '\0';
		*host = text + 1;
	}
	return colon + 1;
}

static int bind_one(const struct addrinfo *ai)
{
	int fd = socket(ai->ai_family,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, off = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, 512) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

int front_listen(const char *where, struct err *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	char *text _free_ = xstrdup(where);
	struct addrinfo *list = NULL;
	char *host, *port = split_port(text, &host);
	int fd = -EADDRNOTAVAIL;

	if (!port)
		return err_set(e, -EINVAL, "'%s' is not ADDRESS:PORT", where);
	hints.ai_family = *host ? AF_UNSPEC : AF_INET6;
	if (getaddrinfo(*host ? host : NULL, port, &hints, &list))
		return err_set(e, -EINVAL, "cannot resolve '%s'", where);
	for (int64_t until = mono_ms() + LISTEN_MS;;) {
		for (struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next)
			fd = bind_one(ai);
		if (fd != -EADDRINUSE || mono_ms() >= until)
			break;
		poll(NULL, 0, LISTEN_AGAIN_MS);
	}
	freeaddrinfo(list);
	if (fd < 0)
		return err_set(e, fd, "listening on %s: %s", where,
			       strerror(-fd));
	return fd;
}
