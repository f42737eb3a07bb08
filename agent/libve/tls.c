// SPDX-License-Identifier: Apache-2.0
#include "agent/libve/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <string.h>

#include "agent/libve/tls_pem.h"

#define TICKET_S 300

#define URN_ROLE "urn:vestibule:role:"
#define URN_NODE "urn:vestibule:node:"

const char *tls_reason(void)
{
	unsigned long code = ERR_get_error();
	const char *why = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return why ? why : "unknown cause";
}

static bool load(SSL_CTX *ctx, const struct tls_files *f, struct err *e)
{
	if (f->cert && SSL_CTX_use_certificate_chain_file(ctx, f->cert) != 1) {
		err_set(e, -EINVAL, "certificate %s: %s", f->cert,
			tls_reason());
		return false;
	}
	if (f->key &&
	    SSL_CTX_use_PrivateKey_file(ctx, f->key, SSL_FILETYPE_PEM) != 1) {
		err_set(e, -EINVAL, "key %s: %s", f->key, tls_reason());
		return false;
	}
	if (f->cert && SSL_CTX_check_private_key(ctx) != 1) {
		err_set(e, -EINVAL, "key %s does not belong to %s", f->key,
			f->cert);
		return false;
	}
	if (f->ca && SSL_CTX_load_verify_locations(ctx, f->ca, NULL) != 1) {
		err_set(e, -EINVAL, "authority %s: %s", f->ca, tls_reason());
		return false;
	}
	return true;
}

static SSL_CTX *create(const SSL_METHOD *method, struct err *e)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	signal(SIGPIPE, SIG_IGN);
	if (!ctx) {
		err_set(e, -ENOMEM, "TLS context: %s", tls_reason());
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	return ctx;
}

static SSL_CTX *make(const SSL_METHOD *method, const struct tls_files *f,
		     struct err *e)
{
	SSL_CTX *ctx = create(method, e);

	if (ctx && !load(ctx, f, e)) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

static SSL_CTX *make_texts(const SSL_METHOD *method, const struct tls_texts *t,
			   struct err *e)
{
	SSL_CTX *ctx = create(method, e);

	if (ctx && !tls_pem_load(ctx, t, e)) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

/* HTTP/1.1 is all that we speak. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *len,
		       const unsigned char *in, unsigned inlen, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	if (SSL_select_next_proto(&chosen, len, ours, sizeof(ours) - 1, in,
				  inlen) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *serve(SSL_CTX *ctx, bool ask)
{
	static const unsigned char id[] = "vestibule";

	if (!ctx)
		return NULL;
	SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
	SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1);
	if (ask) {
		/* who proved its certificate need not do so for each stream:
		 * most of a handshake is that */
		SSL_CTX_set_num_tickets(ctx, 1);
		SSL_CTX_set_timeout(ctx, TICKET_S);
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
		SSL_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT);
		SSL_CTX_set_verify(
			ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			NULL);
	}
	return ctx;
}

SSL_CTX *tls_server(const struct tls_files *f, struct err *e)
{
	return serve(make(TLS_server_method(), f, e), f->ca);
}

SSL_CTX *tls_server_texts(const struct tls_texts *t, struct err *e)
{
	return serve(make_texts(TLS_server_method(), t, e), t->ca.len);
}

static SSL_CTX *trusting(SSL_CTX *ctx)
{
	if (ctx)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	return ctx;
}

SSL_CTX *tls_client(const struct tls_files *f, struct err *e)
{
	return trusting(make(TLS_client_method(), f, e));
}

SSL_CTX *tls_client_texts(const struct tls_texts *t, struct err *e)
{
	return trusting(make_texts(TLS_client_method(), t, e));
}

/* Copy what stands behind @urn; names of other characters are not ours. */
static void take_name(char out[static TLS_NAME], const char *uri, size_t n,
		      const char *urn)
{
	size_t skip = strlen(urn);

	if (out[0] || n <= skip || n - skip >= TLS_NAME ||
	    memcmp(uri, urn, skip))
		return;
	for (size_t i = skip; i < n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_.",
			    uri[i]) ||
		    !uri[i])
			return;
	memcpy(out, uri + skip, n - skip);
	out[n - skip] = '\0';
}

static void read_names(struct tls_peer *p, X509 *cert)
{
	GENERAL_NAMES *names =
		X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
		const char *uri;
		size_t n;

		if (g->type != GEN_URI)
			continue;
		uri = (const char *)ASN1_STRING_get0_data(
			g->d.uniformResourceIdentifier);
		n = (size_t)ASN1_STRING_length(g->d.uniformResourceIdentifier);
		take_name(p->role, uri, n, URN_ROLE);
		take_name(p->node, uri, n, URN_NODE);
	}
	GENERAL_NAMES_free(names);
}

void tls_peer_read(struct tls_peer *p, SSL *ssl)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	p->name[0] = '\0';
	if (name && strlen(name) < sizeof(p->name))
		strcpy(p->name, name);
	p->role[0] = p->node[0] = '\0';
	p->verified = cert && SSL_get_verify_result(ssl) == X509_V_OK;
	/* a session that goes on is not verified again */
	if (p->verified && SSL_session_reused(ssl))
		p->verified =
			X509_cmp_current_time(X509_get0_notAfter(cert)) > 0;
	if (p->verified)
		read_names(p, cert);
}

/* Behind the normal verification: the leaf must name the node we mean. */
static int check_node(X509_STORE_CTX *store, void *arg)
{
	const char *node = arg;
	struct tls_peer p = { 0 };

	if (X509_verify_cert(store) != 1)
		return 0;
	read_names(&p, X509_STORE_CTX_get0_cert(store));
	if (!strcmp(p.node, node))
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

int tls_client_rules(SSL_CTX *ctx, const char *node, struct err *e)
{
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1)
		return err_set(e, -EINVAL, "TLS 1.3 is not available");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (node)
		SSL_CTX_set_cert_verify_callback(ctx, check_node, (void *)node);
	return 0;
}
