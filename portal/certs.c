// SPDX-License-Identifier: Apache-2.0
#include "portal/certs.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/libve/buf.h"
#include "agent/libve/clean.h"
#include "agent/libve/log.h"
#include "portal/file.h"

#define FILES 3 /* certificate, key, authority */
#define FILE_MAX 32768

struct set {
	uint32_t len[FILES];
	char text[FILES * FILE_MAX];
};

struct watch {
	int fd;
	struct certs_box *box;
};

void certs_box_init(struct certs_box *b, SSL_CTX *ctx)
{
	pthread_mutex_init(&b->lock, NULL);
	b->ctx = ctx;
}

SSL_CTX *certs_box_get(struct certs_box *b)
{
	SSL_CTX *ctx;

	pthread_mutex_lock(&b->lock);
	ctx = b->ctx;
	SSL_CTX_up_ref(ctx);
	pthread_mutex_unlock(&b->lock);
	return ctx;
}

void certs_box_set(struct certs_box *b, SSL_CTX *ctx)
{
	SSL_CTX *old;

	pthread_mutex_lock(&b->lock);
	old = b->ctx;
	b->ctx = ctx;
	pthread_mutex_unlock(&b->lock);
	SSL_CTX_free(old);
}

int certs_create(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)
		       ? -errno
		       : 0;
}

int certs_send(int fd, const struct tls_files *f, struct err *e)
{
	const char *const paths[FILES] = { f->cert, f->key, f->ca };
	struct set *s _free_ = xcalloc(1, sizeof(*s));
	size_t total = 0;

	for (int i = 0; i < FILES; i++) {
		_buf_ struct buf text = { 0 };
		int rc = paths[i] ? file_read(paths[i], FILE_MAX, &text, e) : 0;

		if (rc)
			return rc;
		s->len[i] = (uint32_t)text.len;
		memcpy(s->text + total, text.data ? text.data : "", text.len);
		total += text.len;
	}
	total += sizeof(s->len);
	if (send(fd, s, total, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)total)
		return err_sys(e, "the part does not take certificates");
	return 0;
}

static SSL_CTX *make(const struct set *s, struct err *e)
{
	const char *key = s->text + s->len[0], *ca = key + s->len[1];
	struct tls_texts t = { .cert = { s->text, s->len[0] },
			       .key = { key, s->len[1] },
			       .ca = { ca, s->len[2] } };

	return t.ca.len ? tls_client_texts(&t, e) : tls_server_texts(&t, e);
}

static bool is_whole(const struct set *s, ssize_t n)
{
	size_t total = sizeof(s->len);

	if (n < (ssize_t)total)
		return false;
	for (int i = 0; i < FILES; i++) {
		if (s->len[i] > FILE_MAX)
			return false;
		total += s->len[i];
	}
	return (size_t)n == total && s->len[0] && s->len[1];
}

static void take(const struct watch *w, const struct set *s)
{
	struct err e = { 0 };
	SSL_CTX *ctx = make(s, &e);

	if (!ctx) {
		log_err("the certificates stay as they were: %s", e.text);
		return;
	}
	certs_box_set(w->box, ctx);
	log_info("new certificates");
}

static void *watch_run(void *arg)
{
	struct watch *w = arg;
	struct set *s = xcalloc(1, sizeof(*s));
	ssize_t n;

	while ((n = recv(w->fd, s, sizeof(*s), 0)) > 0 ||
	       (n < 0 && errno == EINTR))
		if (is_whole(s, n))
			take(w, s);
	free(s);
	free(w);
	return NULL;
}

int certs_watch(int fd, struct certs_box *box, struct err *e)
{
	struct watch *w = xcalloc(1, sizeof(*w));
	pthread_t t;

	*w = (struct watch){ fd, box };
	if (pthread_create(&t, NULL, watch_run, w)) {
		free(w);
		return err_set(e, -EAGAIN, "no thread for certificates");
	}
	pthread_detach(t);
	return 0;
}
