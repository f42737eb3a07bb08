// SPDX-License-Identifier: Apache-2.0
/*
 * The TLS front against clients of libve over loopback: bytes both ways, half
 * closes, limits, and who may come in.  Certificates are made here.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/libve/clean.h"
#include "agent/libve/front.h"
#include "agent/libve/tls_again.h"

static char dir[] = "/tmp/ve-front-XXXXXX";
static char ca_path[64], foreign_path[64];

struct identity {
	char cert[64], key[64];
};

static X509 *sign(EVP_PKEY *key, EVP_PKEY *ca_key, X509 *ca, const char *san)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), san ? 2 : 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const uint8_t *)(san ? "leaf" : "ca"), -1, -1,
				   0);
	X509_set_issuer_name(x, ca ? X509_get_subject_name(ca) : name);
	X509V3_set_ctx(&ctx, ca ? ca : x, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx,
				  san ? NID_subject_alt_name :
					NID_basic_constraints,
				  san ? san : "critical,CA:TRUE");
	X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	X509_sign(x, ca_key, EVP_sha256());
	return x;
}

static void save(const char *path, X509 *x, EVP_PKEY *key)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	if (x)
		PEM_write_X509(f, x);
	else
		PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
}

static struct identity server_id, control_id, foreign_id;

static void make_identity(struct identity *id, const char *name,
			  EVP_PKEY *ca_key, X509 *ca, const char *san)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = sign(key, ca_key, ca, san);

	snprintf(id->cert, sizeof(id->cert), "%s/%s.crt", dir, name);
	snprintf(id->key, sizeof(id->key), "%s/%s.key", dir, name);
	save(id->cert, x, NULL);
	save(id->key, NULL, key);
	X509_free(x);
	EVP_PKEY_free(key);
}

static int make_pki(void **state)
{
	EVP_PKEY *k1 = EVP_EC_gen("P-256"), *k2 = EVP_EC_gen("P-256");
	X509 *ca = sign(k1, k1, NULL, NULL), *foreign = sign(k2, k2, NULL, NULL);

	if (!mkdtemp(dir))
		return -1;
	snprintf(ca_path, sizeof(ca_path), "%s/ca.crt", dir);
	snprintf(foreign_path, sizeof(foreign_path), "%s/foreign.crt", dir);
	save(ca_path, ca, NULL);
	save(foreign_path, foreign, NULL);
	make_identity(&server_id, "server", k1, ca, "URI:urn:vestibule:node:n1");
	make_identity(&control_id, "control", k1, ca,
		      "URI:urn:other:x,URI:urn:vestibule:role:control");
	make_identity(&foreign_id, "foreign-leaf", k2, foreign,
		      "URI:urn:vestibule:role:control");
	X509_free(ca);
	X509_free(foreign);
	EVP_PKEY_free(k1);
	EVP_PKEY_free(k2);
	return 0;
}

static int drop_pki(void **state)
{
	char *cmd = xasprintf("rm -rf %s", dir);
	int r = system(cmd);

	free(cmd);
	return r;
}

/* ---- a front whose connections wait in a small queue ------------------- */

static struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t more;
	int fd[64];
	struct tls_peer peer[64];
	unsigned n, taken;
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER,
	    .more = PTHREAD_COND_INITIALIZER };

static void on_conn(void *arg, int fd, const struct tls_peer *peer)
{
	pthread_mutex_lock(&queue.lock);
	queue.fd[queue.n] = fd;
	queue.peer[queue.n++] = *peer;
	pthread_cond_signal(&queue.more);
	pthread_mutex_unlock(&queue.lock);
}

static int next_conn(struct tls_peer *peer)
{
	int fd;

	pthread_mutex_lock(&queue.lock);
	while (queue.taken == queue.n)
		pthread_cond_wait(&queue.more, &queue.lock);
	fd = queue.fd[queue.taken];
	*peer = queue.peer[queue.taken++];
	pthread_mutex_unlock(&queue.lock);
	return fd;
}

struct bench {
	SSL_CTX *server, *client;
	struct front *front;
	uint16_t port;
};

static void bench_open(struct bench *b, bool mutual, unsigned max_each)
{
	struct tls_files sf = { server_id.cert, server_id.key,
				mutual ? ca_path : NULL };
	struct tls_files cf = { mutual ? control_id.cert : NULL,
				mutual ? control_id.key : NULL, ca_path };
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	struct err e = { 0 };
	struct front_conf conf = { .max_each = max_each, .on_conn = on_conn };

	b->server = tls_server(&sf, &e);
	b->client = tls_client(&cf, &e);
	conf.ctx = b->server;
	conf.listen_fd = front_listen("127.0.0.1:0", &e);
	if (!b->server || !b->client || conf.listen_fd < 0)
		fail_msg("%s", e.text);
	getsockname(conf.listen_fd, (struct sockaddr *)&in, &len);
	b->port = ntohs(in.sin_port);
	assert_int_equal(front_start(&b->front, &conf, &e), 0);
}

static void bench_close(struct bench *b)
{
	front_stop(b->front);
	SSL_CTX_free(b->server);
	SSL_CTX_free(b->client);
}

static const char *node; /* whose session is gone on with, NULL: nobody's */

/* A blocking TLS connection; NULL when it was refused. */
static SSL *dial(struct bench *b, SSL_CTX *ctx)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(b->port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval t = { .tv_sec = 10 };
	SSL *ssl = SSL_new(ctx);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	SSL_set_fd(ssl, fd);
	if (node)
		tls_again(ssl, node);
	if (SSL_connect(ssl) == 1)
		return ssl;
	SSL_free(ssl);
	close(fd);
	return NULL;
}

static void hang_up(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);

	SSL_free(ssl);
	close(fd);
}

/* Read exactly @n bytes from the inner end (which is non-blocking). */
static size_t inner_read(int fd, uint8_t *buf, size_t n)
{
	size_t got = 0;

	while (got < n) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t r;

		if (poll(&p, 1, 10000) != 1)
			return got;
		r = read(fd, buf + got, n - got);
		if (r <= 0)
			return got;
		got += (size_t)r;
	}
	return got;
}

static void inner_write(int fd, const uint8_t *buf, size_t n)
{
	while (n) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		ssize_t r;

		assert_int_equal(poll(&p, 1, 10000), 1);
		r = write(fd, buf, n);
		assert_true(r > 0);
		buf += r;
		n -= (size_t)r;
	}
}

static void peer_is_read_from_the_certificate(void **state)
{
	struct tls_peer peer;
	struct bench b;
	SSL *ssl;
	int fd;

	bench_open(&b, true, 0);
	ssl = dial(&b, b.client);
	assert_non_null(ssl);
	fd = next_conn(&peer);
	assert_true(peer.verified);
	assert_string_equal(peer.role, "control");
	assert_string_equal(peer.node, "");
	assert_int_equal(peer.address.family, 4);
	assert_int_equal(peer.address.bytes[0], 127);
	close(fd);
	hang_up(ssl);
	bench_close(&b);
}

#define BIG (3u << 20)

struct sender {
	SSL *ssl;
	const uint8_t *data;
};

static void *send_all(void *arg)
{
	struct sender *s = arg;
	size_t sent = 0;

	while (sent < BIG) {
		int r = SSL_write(s->ssl, s->data + sent, (int)(BIG - sent));

		if (r <= 0)
			return NULL;
		sent += (size_t)r;
	}
	SSL_shutdown(s->ssl); /* half: we still read */
	return s;
}

static void bytes_arrive_both_ways_with_half_close(void **state)
{
	uint8_t *data = xmalloc(BIG), *got = xmalloc(BIG);
	struct tls_peer peer;
	struct sender s;
	struct bench b;
	pthread_t thread;
	void *sent;
	int fd;

	for (size_t i = 0; i < BIG; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 13);
	bench_open(&b, false, 0);
	s = (struct sender){ dial(&b, b.client), data };
	assert_non_null(s.ssl);
	fd = next_conn(&peer);
	assert_false(peer.verified);
	pthread_create(&thread, NULL, send_all, &s);
	assert_int_equal(inner_read(fd, got, BIG), BIG);
	assert_memory_equal(got, data, BIG);
	pthread_join(thread, &sent);
	assert_non_null(sent);
	/* the peer's end of input shows, and the other way is still open */
	assert_int_equal(inner_read(fd, got, 1), 0);
	memset(got, 0, BIG);
	inner_write(fd, data, 100000);
	close(fd);
	for (size_t n = 0; n < 100000;) {
		int r = SSL_read(s.ssl, got + n, (int)(100000 - n));

		assert_true(r > 0);
		n += (size_t)r;
	}
	assert_memory_equal(got, data, 100000);
	assert_int_equal(SSL_read(s.ssl, got, 1), 0);
	assert_int_equal(SSL_get_shutdown(s.ssl) & SSL_RECEIVED_SHUTDOWN,
			 SSL_RECEIVED_SHUTDOWN);
	hang_up(s.ssl);
	bench_close(&b);
	free(data);
	free(got);
}

static void a_vanished_peer_ends_the_inner_side(void **state)
{
	struct tls_peer peer;
	struct bench b;
	uint8_t c;
	int fd;

	bench_open(&b, false, 0);
	for (int i = 0; i < 20; i++) {
		SSL *ssl = dial(&b, b.client);

		assert_non_null(ssl);
		fd = next_conn(&peer);
		hang_up(ssl);
		assert_int_equal(inner_read(fd, &c, 1), 0);
		close(fd);
	}
	for (int i = 0; i < 1000 && front_count(b.front); i++)
		poll(NULL, 0, 10);
	assert_int_equal(front_count(b.front), 0);
	bench_close(&b);
}

/* In TLS 1.3 the refusal of a client shows at its first read. */
static bool is_served(struct bench *b, SSL_CTX *ctx)
{
	SSL *ssl = dial(b, ctx);
	bool served = false;
	char c;

	if (ssl) {
		SSL_write(ssl, "x", 1);
		served = SSL_read(ssl, &c, 1) == 1;
		hang_up(ssl);
	}
	return served;
}

static void strangers_do_not_come_in(void **state)
{
	struct tls_files none = { NULL, NULL, ca_path };
	struct tls_files foreign = { foreign_id.cert, foreign_id.key, ca_path };
	struct tls_files distrust = { control_id.cert, control_id.key,
				      foreign_path };
	const struct tls_files *const all[] = { &none, &foreign, &distrust };
	struct bench b;

	bench_open(&b, true, 0);
	for (size_t i = 0; i < 3; i++) {
		SSL_CTX *ctx = tls_client(all[i], NULL);

		assert_false(is_served(&b, ctx));
		SSL_CTX_free(ctx);
	}
	SSL_CTX_set_max_proto_version(b.client, 0);
	SSL_CTX_set_min_proto_version(b.client, TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(b.client, TLS1_2_VERSION);
	assert_false(is_served(&b, b.client));
	assert_int_equal(queue.n, queue.taken);
	bench_close(&b);
}

static void one_address_gets_its_share_only(void **state)
{
	struct tls_peer peer;
	struct bench b;
	SSL *ssl[3];
	int fd[2];

	bench_open(&b, false, 2);
	ssl[0] = dial(&b, b.client);
	ssl[1] = dial(&b, b.client);
	ssl[2] = dial(&b, b.client);
	assert_non_null(ssl[0]);
	assert_non_null(ssl[1]);
	assert_null(ssl[2]);
	fd[0] = next_conn(&peer);
	fd[1] = next_conn(&peer);
	for (int i = 0; i < 2; i++) {
		close(fd[i]);
		hang_up(ssl[i]);
	}
	bench_close(&b);
}

/* One that is served a byte, with which a ticket comes; whether it went on. */
static bool visit(struct bench *b, SSL_CTX *ctx, const char *to)
{
	struct tls_peer peer;
	bool again;
	SSL *ssl;
	char c;
	int fd;

	node = to;
	ssl = dial(b, ctx);
	node = NULL;
	assert_non_null(ssl);
	fd = next_conn(&peer);
	assert_true(peer.verified);
	assert_string_equal(peer.role, "control");
	inner_write(fd, (const uint8_t *)"y", 1);
	assert_int_equal(SSL_read(ssl, &c, 1), 1);
	again = SSL_session_reused(ssl);
	close(fd);
	hang_up(ssl);
	return again;
}

static void a_session_goes_on_with_the_same_node(void **state)
{
	struct tls_files mine = { control_id.cert, control_id.key, ca_path };
	struct bench b;
	SSL_CTX *other;

	bench_open(&b, true, 0);
	other = tls_client(&mine, NULL);
	assert_false(visit(&b, b.client, "n1"));
	assert_true(visit(&b, b.client, "n1"));
	assert_true(visit(&b, b.client, "n1"));
	assert_false(visit(&b, b.client, "n2"));
	/* what begins with other certificates shows these */
	assert_false(visit(&b, other, "n1"));
	assert_false(visit(&b, b.client, NULL));
	SSL_CTX_free(other);
	bench_close(&b);
}

/* Late enough to be in use when it is first tried, which nobody can be told. */
static void *let_go(void *fd)
{
	nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
	close(*(int *)fd);
	return NULL;
}

static void a_port_is_waited_for(void **state)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	struct err e = { 0 };
	char where[32];
	pthread_t thread;
	int former = front_listen("127.0.0.1:0", &e), fd;

	assert_true(former >= 0);
	assert_int_equal(getsockname(former, (struct sockaddr *)&in, &len), 0);
	snprintf(where, sizeof(where), "127.0.0.1:%d", ntohs(in.sin_port));
	assert_int_equal(front_listen(where, &e), -EADDRINUSE);
	assert_non_null(strstr(e.text, "in use"));
	assert_int_equal(pthread_create(&thread, NULL, let_go, &former), 0);
	fd = front_listen(where, &e);
	pthread_join(thread, NULL);
	assert_true(fd >= 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peer_is_read_from_the_certificate),
		cmocka_unit_test(bytes_arrive_both_ways_with_half_close),
		cmocka_unit_test(a_vanished_peer_ends_the_inner_side),
		cmocka_unit_test(strangers_do_not_come_in),
		cmocka_unit_test(one_address_gets_its_share_only),
		cmocka_unit_test(a_port_is_waited_for),
		cmocka_unit_test(a_session_goes_on_with_the_same_node),
	};

	alarm(60);
	return cmocka_run_group_tests_name("front", tests, make_pki, drop_pki);
}
