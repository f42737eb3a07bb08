// SPDX-License-Identifier: Apache-2.0
#include "portal/cert.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "agent/libve/clean.h"

#define DAYS 397
#define CSR_MAX 2048

struct authority {
	X509 *cert;
	EVP_PKEY *key;
};

int authority_open(struct authority **out, const char *cert, const char *key,
		   struct err *e)
{
	struct authority *a = xcalloc(1, sizeof(*a));
	FILE *f = fopen(cert, "re");

	if (!f)
		return err_sys(e, "%s", cert);
	a->cert = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	f = fopen(key, "re");
	if (!f)
		return err_sys(e, "%s", key);
	a->key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	if (!a->cert || !a->key || !X509_check_private_key(a->cert, a->key))
		return err_set(e, -EINVAL, "%s and %s are no pair", cert, key);
	*out = a;
	return 0;
}

static X509_REQ *read_request(const char *csr)
{
	uint8_t der[CSR_MAX];
	const uint8_t *p = der;
	int n;

	if (strlen(csr) > CSR_MAX / 3 * 4)
		return NULL;
	n = EVP_DecodeBlock(der, (const uint8_t *)csr, (int)strlen(csr));
	return n > 0 ? d2i_X509_REQ(NULL, &p, n) : NULL;
}

static bool is_p256(EVP_PKEY *key)
{
	char group[32];

	return key && EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) &&
	       !strcmp(group, "prime256v1");
}

static bool add_extension(X509 *x, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
	bool ok = ext && X509_add_ext(x, ext, -1);

	X509_EXTENSION_free(ext);
	return ok;
}

static bool set_serial(X509 *x)
{
	uint8_t bytes[16];
	BIGNUM *n;
	bool ok;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	bytes[0] &= 0x7f;
	n = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return ok;
}

static bool set_names(X509 *x, const struct authority *a, const char *node)
{
	X509_NAME *subject = X509_get_subject_name(x);

	return X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC,
					  (const uint8_t *)"Vestibule", -1, -1,
					  0) &&
	       X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
					  (const uint8_t *)node, -1, -1, 0) &&
	       X509_set_issuer_name(x, X509_get_subject_name(a->cert));
}

static bool fill(X509 *x, const struct authority *a, const char *node,
		 EVP_PKEY *key)
{
	_free_ char *san = xasprintf("URI:urn:vestibule:node:%s", node);
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, a->cert, x, NULL, NULL, 0);
	return X509_set_version(x, X509_VERSION_3) && set_serial(x) &&
	       set_names(x, a, node) && X509_set_pubkey(x, key) &&
	       X509_gmtime_adj(X509_getm_notBefore(x), -300) &&
	       X509_gmtime_adj(X509_getm_notAfter(x), DAYS * 86400L) &&
	       add_extension(x, &ctx, NID_subject_alt_name, san) &&
	       add_extension(x, &ctx, NID_ext_key_usage, "serverAuth") &&
	       add_extension(x, &ctx, NID_basic_constraints,
			     "critical,CA:FALSE") &&
	       add_extension(x, &ctx, NID_key_usage,
			     "critical,digitalSignature") &&
	       X509_sign(x, a->key, EVP_sha256());
}

static bool put_pem(struct buf *out, X509 *x)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *text;
	long n;
	bool ok = b && PEM_write_bio_X509(b, x);

	if (ok) {
		n = BIO_get_mem_data(b, &text);
		buf_put(out, text, (size_t)n);
		buf_put(out, "", 0);
	}
	BIO_free(b);
	return ok;
}

int authority_sign(const struct authority *a, const char *node, const char *csr,
		   struct buf *out, struct err *e)
{
	X509_REQ *req = read_request(csr);
	EVP_PKEY *key = req ? X509_REQ_get0_pubkey(req) : NULL;
	X509 *x = X509_new();
	int rc = 0;

	if (!req)
		rc = err_set(e, -EBADMSG, "this is no certificate request");
	else if (!is_p256(key))
		rc = err_set(e, -EBADMSG, "the key is not on the curve P-256");
	else if (X509_REQ_verify(req, key) != 1)
		rc = err_set(e, -EBADMSG,
			     "the request is not signed with its own key");
	else if (!x || !fill(x, a, node, key) || !put_pem(out, x) ||
		 !put_pem(out, a->cert))
		rc = err_set(e, -EIO, "the certificate could not be made");
	X509_free(x);
	X509_REQ_free(req);
	return rc;
}
