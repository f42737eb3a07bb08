// SPDX-License-Identifier: Apache-2.0
#include "portal/front.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/libve/front.h"
#include "agent/libve/log.h"
#include "portal/certs.h"
#include "portal/channel.h"
#include "portal/sandbox.h"

#define CONNECTIONS 4096
#define FROM_ONE_ADDRESS 256

static void hand_over(void *arg, int fd, const struct tls_peer *peer)
{
	const int *channel = arg;
	struct arrival who = { .address = peer->address };

	strcpy(who.name, peer->name);
	if (channel_send(*channel, fd, &who))
		log_warn("the web part is behind: a connection was dropped");
	close(fd);
}

/* Each handshake begins with the context of the moment. */
static int choose(SSL *ssl, int *alert, void *arg)
{
	SSL_CTX *ctx = certs_box_get(arg);

	SSL_set_SSL_CTX(ssl, ctx);
	SSL_CTX_free(ctx);
	return SSL_CLIENT_HELLO_SUCCESS;
}

int front_run(const struct conf *c, int listen, int channel, int certs,
	      struct err *e)
{
	struct tls_files files = { .cert = c->tls_cert, .key = c->tls_key };
	struct front_conf fc = { .listen_fd = listen,
				 .max = CONNECTIONS,
				 .max_each = FROM_ONE_ADDRESS,
				 .on_conn = hand_over,
				 .arg = &channel };
	static struct certs_box box;
	struct front *f;
	int rc;

	fc.ctx = tls_server(&files, e);
	if (!fc.ctx)
		return e->code;
	SSL_CTX_up_ref(fc.ctx);
	certs_box_init(&box, fc.ctx);
	SSL_CTX_set_client_hello_cb(fc.ctx, choose, &box);
	rc = sandbox_drop(c->user, e);
	if (!rc)
		rc = sandbox_enter(SANDBOX_FRONT, e);
	if (!rc)
		rc = certs_watch(certs, &box, e);
	if (!rc)
		rc = front_start(&f, &fc, e);
	if (rc)
		return rc;
	for (;;) {
		struct arrival none;

		/* the parent's end closes when the portal ends */
		if (channel_receive(channel, &none) == -EPIPE)
			_exit(0);
	}
}
