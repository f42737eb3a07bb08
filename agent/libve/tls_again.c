// SPDX-License-Identifier: Apache-2.0
#include "agent/libve/tls_again.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "agent/libve/clean.h"
#include "agent/libve/tls.h"

#define NODES 64 /* one more takes the place of another */

struct known {
	char node[TLS_NAME];
	SSL_SESSION *session;
};

struct sessions {
	struct known of[NODES];
	unsigned next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int on_ctx, on_ssl; /* where OpenSSL keeps what is ours */

static void forget(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx,
		   long argl, void *argp)
{
	struct sessions *s = ptr;

	for (unsigned i = 0; s && i < NODES; i++)
		SSL_SESSION_free(s->of[i].session);
	free(s);
}

static void begin(void)
{
	on_ctx = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, forget);
	on_ssl = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

static struct known *find(struct sessions *s, const char *node)
{
	for (unsigned i = 0; i < NODES; i++)
		if (!strcmp(s->of[i].node, node))
			return &s->of[i];
	return NULL;
}

/* We keep copies: OpenSSL spoils the session of a connection that ends without
 * good-bye. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
	const char *node = SSL_get_ex_data(ssl, on_ssl);
	struct sessions *s =
		SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), on_ctx);
	struct known *k;

	if (!node || !s)
		return 0;
	pthread_mutex_lock(&lock);
	k = find(s, node);
	if (!k)
		k = &s->of[s->next++ % NODES];
	snprintf(k->node, sizeof(k->node), "%s", node);
	SSL_SESSION_free(k->session);
	k->session = SSL_SESSION_dup(session);
	pthread_mutex_unlock(&lock);
	return 0;
}

/* With the lock held. */
static struct sessions *sessions_of(SSL_CTX *ctx)
{
	struct sessions *s = SSL_CTX_get_ex_data(ctx, on_ctx);

	if (s)
		return s;
	s = xcalloc(1, sizeof(*s));
	SSL_CTX_set_ex_data(ctx, on_ctx, s);
	SSL_CTX_set_session_cache_mode(ctx,
				       SSL_SESS_CACHE_CLIENT |
					       SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_session);
	return s;
}

void tls_again(SSL *ssl, const char *node)
{
	SSL_SESSION *copy;
	struct sessions *s;
	struct known *k;

	if (!*node)
		return;
	pthread_once(&once, begin);
	pthread_mutex_lock(&lock);
	s = sessions_of(SSL_get_SSL_CTX(ssl));
	k = find(s, node);
	copy = k && k->session ? SSL_SESSION_dup(k->session) : NULL;
	pthread_mutex_unlock(&lock);
	if (copy)
		SSL_set_session(ssl, copy);
	SSL_SESSION_free(copy);
	SSL_set_ex_data(ssl, on_ssl, (void *)node);
}
