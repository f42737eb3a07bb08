// SPDX-License-Identifier: Apache-2.0
#include "portal/dns.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "agent/libve/addr.h"

#define UPDATE 0x2800 /* the opcode, in the flags */
#define FUDGE 300 /* seconds that clocks may differ */
#define MESSAGE_MAX 65535
#define ALGORITHM "hmac-sha256"
#define HEAD 12

enum { TYPE_A = 1, TYPE_SOA = 6, TYPE_AAAA = 28, TYPE_TSIG = 250 };
enum { CLASS_IN = 1, CLASS_ANY = 255 };

/* ---- writing --------------------------------------------------------------- */

static void put16(struct buf *b, unsigned v)
{
	const uint8_t n[] = { (uint8_t)(v >> 8), (uint8_t)v };

	buf_put(b, n, sizeof(n));
}

static void put32(struct buf *b, uint32_t v)
{
	put16(b, v >> 16);
	put16(b, v & 0xffff);
}

static void put48(struct buf *b, uint64_t v)
{
	put16(b, (unsigned)(v >> 32) & 0xffff);
	put32(b, (uint32_t)v);
}

/* The labels of @name in lower case, without the end. */
static int put_labels(struct buf *b, const char *name, struct err *e)
{
	while (*name) {
		size_t n = strcspn(name, ".");
		uint8_t len = (uint8_t)n;

		if (!n || n > 63)
			return err_set(e, -EINVAL, "%s is no name of a domain",
				       name);
		buf_put(b, &len, 1);
		for (size_t i = 0; i < n; i++) {
			char c = (char)tolower((unsigned char)name[i]);

			buf_put(b, &c, 1);
		}
		name += n;
		name += *name == '.';
	}
	return 0;
}

static int put_name(struct buf *b, const char *label, const char *zone,
		    struct err *e)
{
	size_t from = b->len;
	int rc = label ? put_labels(b, label, e) : 0;

	if (!rc)
		rc = put_labels(b, zone, e);
	buf_put(b, "", 1);
	if (!rc && b->len - from > 255)
		rc = err_set(e, -EINVAL, "%s is too long a name", zone);
	return rc;
}

static int put_record(struct buf *b, const struct dns_server *s,
		      const char *label, unsigned type, const char *address,
		      struct err *e)
{
	struct addr a = { 0 };
	unsigned size = type == TYPE_A ? 4 : 16;
	int rc = put_name(b, label, s->zone, e);

	if (!rc && address &&
	    (addr_parse(&a, address) || a.family != (type == TYPE_A ? 4 : 6)))
		rc = err_set(e, -EINVAL, "%s is no address of its kind",
			     address);
	put16(b, type);
	put16(b, address ? CLASS_IN : CLASS_ANY); /* ANY: delete the set */
	put32(b, address ? s->ttl : 0);
	put16(b, address ? size : 0);
	if (address)
		buf_put(b, a.bytes, size);
	return rc;
}

/* Everything at this name goes, then what there is comes; all of it or nothing. */
static int put_change(struct buf *b, const struct dns_server *s,
		      const struct dns_change *c, unsigned *records,
		      struct err *e)
{
	int rc = put_record(b, s, c->label, TYPE_A, NULL, e);

	if (!rc)
		rc = put_record(b, s, c->label, TYPE_AAAA, NULL, e);
	if (!rc && c->ipv4)
		rc = put_record(b, s, c->label, TYPE_A, c->ipv4, e);
	if (!rc && c->ipv6)
		rc = put_record(b, s, c->label, TYPE_AAAA, c->ipv6, e);
	*records += 2 + !!c->ipv4 + !!c->ipv6;
	return rc;
}

/* ---- the signature --------------------------------------------------------- */

/* What a TSIG record says besides its MAC. */
struct tsig {
	uint64_t time;
	unsigned fudge, error;
	const uint8_t *other; /* the server's clock, with BADTIME */
	size_t other_len;
};

/* The MAC of a message (without its TSIG); @before is that of the question when
 * this is the answer. */
static void sign(const struct dns_key *k, const uint8_t *before,
		 const uint8_t *msg, size_t len, const struct tsig *t,
		 uint8_t mac[static DNS_MAC])
{
	_buf_ struct buf b = { 0 };
	struct err e = { 0 };
	unsigned n = DNS_MAC;

	if (before) {
		put16(&b, DNS_MAC);
		buf_put(&b, before, DNS_MAC);
	}
	buf_put(&b, msg, len);
	put_name(&b, NULL, k->name, &e);
	put16(&b, CLASS_ANY);
	put32(&b, 0);
	put_name(&b, NULL, ALGORITHM, &e);
	put48(&b, t->time);
	put16(&b, t->fudge);
	put16(&b, t->error);
	put16(&b, (unsigned)t->other_len);
	buf_put(&b, t->other, t->other_len);
	HMAC(EVP_sha256(), k->secret, (int)k->len, (uint8_t *)b.data, b.len,
	     mac, &n);
}

static void put_tsig(struct buf *b, const struct dns_key *k, uint16_t id,
		     uint64_t now, uint8_t mac[static DNS_MAC])
{
	const struct tsig t = { .time = now, .fudge = FUDGE };
	_buf_ struct buf data = { 0 };
	struct err e = { 0 };

	sign(k, NULL, (uint8_t *)b->data, b->len, &t, mac);
	put_name(&data, NULL, ALGORITHM, &e);
	put48(&data, now);
	put16(&data, FUDGE);
	put16(&data, DNS_MAC);
	buf_put(&data, mac, DNS_MAC);
	put16(&data, id);
	put16(&data, 0);
	put16(&data, 0);
	put_name(b, NULL, k->name, &e);
	put16(b, TYPE_TSIG);
	put16(b, CLASS_ANY);
	put32(b, 0);
	put16(b, (unsigned)data.len);
	buf_put(b, data.data, data.len);
	b->data[11] = 1; /* one additional record */
}

int32_t dns_room(const char *zone)
{
	/* two records to take away, two to add; names are written out */
	size_t one = 4 * (1 + 63 + strlen(zone) + 2 + 10 + 16);
	size_t n = (MESSAGE_MAX - 1000) / one; /* of which the signature takes some */

	return n < DNS_CHANGES_MAX ? (int32_t)n : DNS_CHANGES_MAX;
}

int dns_compose(const struct dns_server *s, const struct dns_change *changes,
		size_t n, uint16_t id, uint64_t now, struct buf *out,
		uint8_t mac[static DNS_MAC], struct err *e)
{
	unsigned records = 0;
	int rc;

	put16(out, id);
	put16(out, UPDATE);
	put16(out, 1); /* the zone */
	put16(out, 0); /* no prerequisite */
	put32(out, 0); /* records: below; additional: put_tsig() */
	rc = put_name(out, NULL, s->zone, e);
	put16(out, TYPE_SOA);
	put16(out, CLASS_IN);
	for (size_t i = 0; !rc && i < n; i++)
		rc = put_change(out, s, &changes[i], &records, e);
	if (rc)
		return rc;
	out->data[8] = (char)(records >> 8);
	out->data[9] = (char)records;
	put_tsig(out, s->key, id, now, mac);
	return out->len > MESSAGE_MAX ?
		       err_set(e, -EMSGSIZE, "an update of %zu bytes", out->len) :
		       0;
}

/* ---- the answer ------------------------------------------------------------ */

struct reader {
	const uint8_t *p;
	size_t len, at;
	bool bad;
};

static unsigned get16(struct reader *r)
{
	if (r->at + 2 > r->len) {
		r->bad = true;
		return 0;
	}
	r->at += 2;
	return (unsigned)r->p[r->at - 2] << 8 | r->p[r->at - 1];
}

static const uint8_t *get(struct reader *r, size_t n)
{
	if (r->bad || n > r->len - r->at) {
		r->bad = true;
		return NULL;
	}
	r->at += n;
	return r->p + r->at - n;
}

/* Step over a name; where it goes on elsewhere it ends here. */
static void skip_name(struct reader *r)
{
	while (!r->bad) {
		const uint8_t *n = get(r, 1);

		if (!n || !*n)
			return;
		if ((*n & 0xc0) == 0xc0) {
			get(r, 1);
			return;
		}
		get(r, *n);
	}
}

static const char *rcode_name(unsigned rcode)
{
	static const char *const names[] = {
		"no error",	  "format error",    "server failure",
		"no such name",	  "not implemented", "refused",
		"name exists",	  "set exists",	     "no such set",
		"not authorised", "not in the zone",
	};

	switch (rcode) {
	case 16:
		return "bad signature: another secret than the server's?";
	case 17:
		return "unknown key: another name than the server's?";
	case 18:
		return "bad time: do the clocks agree?";
	}
	return rcode < sizeof(names) / sizeof(names[0]) ? names[rcode]
							: "an unknown error";
}

/* All records but the last; what is left is the TSIG, if there is one. */
static void skip_records(struct reader *r, unsigned zones, unsigned records)
{
	while (zones-- && !r->bad) {
		skip_name(r);
		get(r, 4);
	}
	while (records-- && !r->bad) {
		skip_name(r);
		get(r, 8);
		get(r, get16(r));
	}
}

/* The TSIG at the reader's place.  0; -EBADMSG when it is none. */
static int read_tsig(struct reader *r, struct tsig *t, const uint8_t **mac)
{
	const uint8_t *time;
	unsigned type, n;

	skip_name(r);
	type = get16(r);
	get(r, 8); /* class, ttl, length */
	skip_name(r);
	time = get(r, 6);
	t->fudge = get16(r);
	n = get16(r);
	*mac = get(r, n);
	get16(r);
	t->error = get16(r);
	t->other_len = get16(r);
	t->other = get(r, t->other_len);
	if (r->bad || type != TYPE_TSIG)
		return -EBADMSG;
	for (int i = 0; i < 6; i++)
		t->time = t->time << 8 | time[i];
	if (n != DNS_MAC)
		*mac = NULL; /* such as an error that is not signed */
	return 0;
}

static int check_mac(const struct dns_key *k, const uint8_t *before,
		     const uint8_t *p, size_t len, const struct tsig *t,
		     const uint8_t *mac)
{
	_buf_ struct buf plain = { 0 };
	uint8_t mine[DNS_MAC];

	buf_put(&plain, p, len);
	plain.data[11]--; /* as it was before the TSIG */
	sign(k, before, (uint8_t *)plain.data, plain.len, t, mine);
	return CRYPTO_memcmp(mine, mac, DNS_MAC) ? -EBADMSG : 0;
}

int dns_judge(const struct dns_key *k, uint16_t id, uint64_t now,
	      const uint8_t mac[static DNS_MAC], const uint8_t *p, size_t len,
	      struct err *e)
{
	struct reader r = { .p = p, .len = len };
	unsigned got = get16(&r), flags = get16(&r), count[4];
	const uint8_t *signature = NULL;
	struct tsig t = { 0 };
	size_t last;

	for (int i = 0; i < 4; i++)
		count[i] = get16(&r);
	if (r.bad || got != id || !(flags & 0x8000) || len < HEAD)
		return err_set(e, -EBADMSG, "that is no answer to the update");
	if (count[3])
		skip_records(&r, count[0], count[1] + count[2] + count[3] - 1);
	last = r.at;
	if (!count[3] || r.bad || read_tsig(&r, &t, &signature))
		return err_set(e, -EBADMSG, "the answer is not signed (%s)",
			       rcode_name(flags & 15));
	if (!signature)
		return err_set(e, -EACCES, "the server says: %s",
			       rcode_name(t.error ? t.error : flags & 15));
	if (p[11] == 0 || check_mac(k, mac, p, last, &t, signature))
		return err_set(e, -EBADMSG,
			       "the answer's signature does not fit the key");
	if (t.error || flags & 15)
		return err_set(e, -EACCES, "the server says: %s",
			       rcode_name(t.error ? t.error : flags & 15));
	if (now > t.time + t.fudge || t.time > now + t.fudge)
		return err_set(e, -EBADMSG, "the answer is from another time");
	return 0;
}

/* ---- the key --------------------------------------------------------------- */

int dns_key_parse(struct dns_key *k, const char *text, struct err *e)
{
	static const char form[] = "a key is hmac-sha256:NAME:BASE64";
	const char *colon = strchr(text, ':'), *second;
	char base64[DNS_SECRET * 2] = "";
	size_t n;
	int len;

	text += strspn(text, " \t\r\n");
	if (!colon || strncmp(text, ALGORITHM ":", sizeof(ALGORITHM)))
		return err_set(e, -EINVAL, form);
	second = strchr(colon + 1, ':');
	if (!second || second == colon + 1 ||
	    (size_t)(second - colon) > sizeof(k->name))
		return err_set(e, -EINVAL, form);
	snprintf(k->name, sizeof(k->name), "%.*s", (int)(second - colon - 1),
		 colon + 1);
	n = strcspn(++second, " \t\r\n");
	if (n < 4 || n % 4 || n > sizeof(base64) / 3 * 2)
		return err_set(e, -EINVAL, form);
	snprintf(base64, sizeof(base64), "%.*s", (int)n, second);
	len = EVP_DecodeBlock(k->secret, (uint8_t *)base64, (int)n);
	if (len <= 0)
		return err_set(e, -EINVAL, form);
	k->len = (size_t)len - (second[n - 1] == '=') - (second[n - 2] == '=');
	OPENSSL_cleanse(base64, sizeof(base64));
	return 0;
}
