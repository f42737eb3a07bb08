// SPDX-License-Identifier: Apache-2.0
#include "agent/libve/tls_pem.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>

static bool use_chain(SSL_CTX *ctx, BIO *in)
{
	X509 *x = PEM_read_bio_X509_AUX(in, NULL, NULL, NULL);
	bool ok = x && SSL_CTX_use_certificate(ctx, x) == 1;

	X509_free(x);
	while (ok && (x = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
		ok = SSL_CTX_add1_chain_cert(ctx, x) == 1;
		X509_free(x);
	}
	return ok;
}

static bool use_key(SSL_CTX *ctx, BIO *in)
{
	EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	bool ok = key && SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
		  SSL_CTX_check_private_key(ctx) == 1;

	EVP_PKEY_free(key);
	return ok;
}

static bool trust(SSL_CTX *ctx, BIO *in)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	bool any = false;
	X509 *x;

	while ((x = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
		any |= X509_STORE_add_cert(store, x) == 1;
		X509_free(x);
	}
	return any;
}

static bool use(SSL_CTX *ctx, const struct tls_text *t, const char *name,
		bool (*take)(SSL_CTX *ctx, BIO *in), struct err *e)
{
	BIO *in = t->len && t->len <= INT_MAX
			  ? BIO_new_mem_buf(t->pem, (int)t->len)
			  : NULL;
	bool ok;

	ERR_clear_error();
	ok = !t->len || (in && take(ctx, in));
	if (!ok)
		err_set(e, -EINVAL, "the %s: %s", name, tls_reason());
	BIO_free(in);
	ERR_clear_error();
	return ok;
}

bool tls_pem_load(SSL_CTX *ctx, const struct tls_texts *t, struct err *e)
{
	return use(ctx, &t->cert, "certificate", use_chain, e) &&
	       use(ctx, &t->key, "key", use_key, e) &&
	       use(ctx, &t->ca, "authority", trust, e);
}
