// SPDX-License-Identifier: Apache-2.0
#include "agent/libve/grant.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "agent/libve/json.h"

#define MAC_LEN 32

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_put(struct buf *out, const void *data, size_t n)
{
	const uint8_t *p = data;

	while (n) {
		size_t take = n < 3 ? n : 3;
		uint32_t v = (uint32_t)p[0] << 16;

		v |= take > 1 ? (uint32_t)p[1] << 8 : 0;
		v |= take > 2 ? p[2] : 0;
		for (size_t i = 0; i <= take; i++)
			buf_put(out, &alphabet[v >> (18 - 6 * i) & 63], 1);
		p += take;
		n -= take;
	}
}

static int sextet(char c, int standard)
{
	const char *at;

	if (standard)
		c = c == '+'		   ? '-'
		    : c == '/'		   ? '_'
		    : c == '-' || c == '_' ? '\0'
					   : c;
	at = c ? strchr(alphabet, c) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

int base64_decode(void *out, size_t size, const char *text, size_t n,
		  int standard)
{
	uint8_t *p = out;
	uint32_t v = 0;
	size_t len = 0;
	unsigned bits = 0;

	if (standard && n % 4 == 0)
		for (int i = 0; i < 2 && n && text[n - 1] == '='; i++)
			n--;
	if (n % 4 == 1)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		int s = sextet(text[i], standard);

		if (s < 0)
			return -EINVAL;
		v = v << 6 | (uint32_t)s;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (len == size)
			return -EINVAL;
		p[len++] = (uint8_t)(v >> bits);
	}
	/* a second spelling of the same bytes is no spelling */
	return v & ((1u << bits) - 1) ? -EINVAL : (int)len;
}

int grant_key_parse(uint8_t key[static GRANT_KEY], const char *text)
{
	size_t n;

	while (isspace((unsigned char)*text))
		text++;
	n = strspn(text, "0123456789abcdefABCDEF");
	if (n != 2 * GRANT_KEY || text[n + strspn(text + n, " \t\r\n")])
		return -EINVAL;
	for (size_t i = 0; i < GRANT_KEY; i++) {
		unsigned v;

		if (sscanf(text + 2 * i, "%2x", &v) != 1)
			return -EINVAL;
		key[i] = (uint8_t)v;
	}
	return 0;
}

static const char *const kinds[] = {
	[GRANT_TTY] = "tty",
	[GRANT_EXEC] = "exec",
	[GRANT_PORT] = "port",
};

static void mac_of(uint8_t mac[static MAC_LEN], const uint8_t *key,
		   const void *data, size_t n)
{
	unsigned len = MAC_LEN;

	HMAC(EVP_sha256(), key, GRANT_KEY, data, n, mac, &len);
}

void grant_make(struct buf *out, const struct grant *g,
		const uint8_t key[static GRANT_KEY])
{
	struct buf payload _buf_ = { 0 };
	struct json_out o = { .b = &payload };
	uint8_t mac[MAC_LEN];

	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_int(&o, "veid", g->veid);
	json_put_string(&o, "node", g->node);
	json_put_string(&o, "sub", g->sub);
	json_put_string(&o, "kind", kinds[g->kind]);
	if (g->kind == GRANT_PORT)
		json_put_int(&o, "port", g->port);
	json_put_int(&o, "exp", g->exp);
	json_put_string(&o, "nonce", g->nonce);
	json_close(&o, '}');
	mac_of(mac, key, payload.data, payload.len);
	base64url_put(out, payload.data, payload.len);
	buf_puts(out, ".");
	base64url_put(out, mac, sizeof(mac));
}

struct payload {
	int64_t v, veid, exp, port;
	char node[64], sub[128], kind[8], nonce[33];
};

static const struct json_field payload_fields[] = {
	JSON_ROW_INT("v", struct payload, v, JSON_REQUIRED, 1, 1),
	JSON_ROW_INT("veid", struct payload, veid, JSON_REQUIRED, 1, INT32_MAX),
	JSON_ROW_STRING("node", struct payload, node, JSON_REQUIRED, 1, 63),
	JSON_ROW_STRING("sub", struct payload, sub, JSON_REQUIRED, 1, 127),
	JSON_ROW_STRING("kind", struct payload, kind, JSON_REQUIRED, 3, 4),
	JSON_ROW_INT("port", struct payload, port, 0, 1, 65535),
	JSON_ROW_INT("exp", struct payload, exp, JSON_REQUIRED, 0, INT64_MAX),
	JSON_ROW_STRING("nonce", struct payload, nonce, JSON_REQUIRED, 32, 32),
	JSON_ROW_END,
};

static int take_payload(struct grant *g, const char *text, size_t len,
			int64_t now, struct err *e)
{
	struct payload p = { 0 };
	uint8_t kind = 0;

	if (json_decode(text, len, GRANT_MAX, payload_fields, &p, true, e) < 0)
		return -EACCES;
	if (strspn(p.nonce, "0123456789abcdef") != 32)
		return err_set(e, -EACCES, "nonce of the grant is not hex");
	while (kind <= GRANT_PORT && strcmp(p.kind, kinds[kind]))
		kind++;
	if (kind > GRANT_PORT || (kind == GRANT_PORT) != (p.port != 0))
		return err_set(e, -EACCES, "unknown kind of grant");
	if (p.exp < now)
		return err_set(e, -EACCES, "the grant expired");
	if (p.exp > now + GRANT_AHEAD)
		return err_set(e, -EACCES, "the grant is valid for too long");
	g->veid = (uint32_t)p.veid;
	g->kind = kind;
	g->port = (uint16_t)p.port;
	g->exp = p.exp;
	memcpy(g->node, p.node, sizeof(g->node));
	memcpy(g->sub, p.sub, sizeof(g->sub));
	memcpy(g->nonce, p.nonce, sizeof(g->nonce));
	return 0;
}

int grant_verify(struct grant *g, const char *text,
		 const uint8_t key[static GRANT_KEY], int64_t now,
		 struct err *e)
{
	const char *dot = strchr(text, '.');
	uint8_t payload[GRANT_MAX], want[MAC_LEN], got[MAC_LEN];
	size_t n = strlen(text);
	int len;

	*g = (struct grant){ 0 };
	if (!dot || n > GRANT_MAX)
		return err_set(e, -EACCES, "the grant is malformed");
	len = base64_decode(payload, sizeof(payload), text,
			    (size_t)(dot - text), 0);
	if (len < 0 || base64_decode(got, sizeof(got), dot + 1, strlen(dot + 1),
				     0) != MAC_LEN)
		return err_set(e, -EACCES, "the grant is malformed");
	mac_of(want, key, payload, (size_t)len);
	if (CRYPTO_memcmp(want, got, MAC_LEN))
		return err_set(e, -EACCES, "the grant is not authentic");
	return take_payload(g, (char *)payload, (size_t)len, now, e);
}
