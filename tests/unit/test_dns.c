// SPDX-License-Identifier: Apache-2.0
/* Dynamic updates: what they say, how they are signed, and answers that are none. */
#include "portal/dns.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/hmac.h>

#include "agent/libve/buf.h"

#define NOW 1790000000u

static const struct dns_key *key(void)
{
	static struct dns_key k;
	struct err e = { 0 };

	assert_int_equal(
		dns_key_parse(&k, "hmac-sha256:ve.:c2VjcmV0c2VjcmV0\n", &e), 0);
	return &k;
}

static struct dns_server server(void)
{
	return (struct dns_server){ .at = "127.0.0.1:53",
				    .zone = "ve.example",
				    .key = key(),
				    .ttl = 30 };
}

static void compose(struct buf *b, uint8_t mac[DNS_MAC])
{
	const struct dns_change c = { "Box", "192.0.2.1", "2001:db8::1" };
	struct dns_server s = server();
	struct err e = { 0 };

	assert_int_equal(dns_compose(&s, &c, 1, 0x1234, NOW, b, mac, &e), 0);
}

static void an_update_replaces_what_a_name_says(void **state)
{
	/* clang-format off */
	static const uint8_t wanted[] = {
		0x12, 0x34, 0x28, 0, 0, 1, 0, 0, 0, 4, 0, 1,
		2, 'v', 'e', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 6, 0, 1,
		3, 'b', 'o', 'x', 2, 'v', 'e', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0,
		0, 1, 0, 255, 0, 0, 0, 0, 0, 0,
		3, 'b', 'o', 'x', 2, 'v', 'e', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0,
		0, 28, 0, 255, 0, 0, 0, 0, 0, 0,
		3, 'b', 'o', 'x', 2, 'v', 'e', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0,
		0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, 1,
		3, 'b', 'o', 'x', 2, 'v', 'e', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0,
		0, 28, 0, 1, 0, 0, 0, 30, 0, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
		2, 'v', 'e', 0, 0, 250, 0, 255, 0, 0, 0, 0,
	};
	/* clang-format on */
	_buf_ struct buf b = { 0 };
	uint8_t mac[DNS_MAC];

	compose(&b, mac);
	assert_true(b.len > sizeof(wanted));
	assert_memory_equal(b.data, wanted, sizeof(wanted));
}

/* An answer as a server makes it, with @rcode; signed with @secret. */
static void answer(struct buf *b, unsigned rcode, const char *secret,
		   const uint8_t mac[DNS_MAC])
{
	/* clang-format off */
	const uint8_t plain[] = { 0x12, 0x34, 0xa8, (uint8_t)rcode, 0, 0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t name[] = { 2, 'v', 'e', 0 };
	static const uint8_t algorithm[] = { 11, 'h', 'm', 'a', 'c', '-', 's', 'h', 'a', '2', '5', '6', 0 };
	const uint8_t times[] = { 0, 0, NOW >> 24, NOW >> 16 & 255, NOW >> 8 & 255, NOW & 255, 1, 44 };
	static const uint8_t head[] = { 0, 250, 0, 255, 0, 0, 0, 0, 0, 61 };
	static const uint8_t length[] = { 0, 32 }, none[] = { 0, 0, 0, 0 };
	static const uint8_t tail[] = { 0x12, 0x34, 0, 0, 0, 0 };
	/* clang-format on */
	_buf_ struct buf v = { 0 };
	uint8_t mine[DNS_MAC];
	unsigned n = sizeof(mine);

	buf_put(&v, length, 2);
	buf_put(&v, mac, DNS_MAC);
	buf_put(&v, plain, sizeof(plain));
	buf_put(&v, name, sizeof(name));
	buf_put(&v, head + 2, 2); /* class */
	buf_put(&v, none, 4); /* ttl */
	buf_put(&v, algorithm, sizeof(algorithm));
	buf_put(&v, times, sizeof(times));
	buf_put(&v, none, 4); /* error, other */
	HMAC(EVP_sha256(), secret, (int)strlen(secret), (uint8_t *)v.data,
	     v.len, mine, &n);
	buf_put(b, plain, sizeof(plain));
	b->data[11] = 1;
	buf_put(b, name, sizeof(name));
	buf_put(b, head, sizeof(head));
	buf_put(b, algorithm, sizeof(algorithm));
	buf_put(b, times, sizeof(times));
	buf_put(b, length, 2);
	buf_put(b, mine, sizeof(mine));
	buf_put(b, tail, sizeof(tail));
}

static int judge(const struct buf *b, const uint8_t mac[DNS_MAC], uint64_t now,
		 struct err *e)
{
	*e = (struct err){ 0 };
	return dns_judge(key(), 0x1234, now, mac, (const uint8_t *)b->data,
			 b->len, e);
}

static void an_answer_counts_that_the_key_has_signed(void **state)
{
	_buf_ struct buf asked = { 0 }, good = { 0 }, refused = { 0 },
			 forged = { 0 };
	uint8_t mac[DNS_MAC];
	struct err e;

	compose(&asked, mac);
	answer(&good, 0, "secretsecret", mac);
	assert_int_equal(judge(&good, mac, NOW + 299, &e), 0);
	assert_int_equal(judge(&good, mac, NOW + 301, &e), -EBADMSG);
	answer(&refused, 5, "secretsecret", mac);
	assert_int_equal(judge(&refused, mac, NOW, &e), -EACCES);
	assert_string_equal(e.text, "the server says: refused");
	answer(&forged, 0, "secretsecreT", mac);
	assert_int_equal(judge(&forged, mac, NOW, &e), -EBADMSG);
	mac[0] ^= 1; /* an answer to another question */
	assert_int_equal(judge(&good, mac, NOW, &e), -EBADMSG);
}

static void what_is_cut_or_changed_counts_for_nothing(void **state)
{
	_buf_ struct buf asked = { 0 }, good = { 0 };
	uint8_t mac[DNS_MAC];
	struct err e;

	compose(&asked, mac);
	answer(&good, 0, "secretsecret", mac);
	for (size_t n = 0; n < good.len; n++) {
		struct buf cut = { .data = good.data, .len = n };

		assert_int_not_equal(judge(&cut, mac, NOW, &e), 0);
	}
	for (size_t i = 0; i < good.len * 8; i++) {
		good.data[i / 8] ^= (char)(1 << i % 8);
		/* letters of a name are the same in both cases, and the flags
		 * of the name's record are not signed */
		if (i / 8 > 25)
			judge(&good, mac, NOW, &e);
		else if (i / 8 < 12)
			assert_int_not_equal(judge(&good, mac, NOW, &e), 0);
		good.data[i / 8] ^= (char)(1 << i % 8);
	}
	assert_int_equal(judge(&good, mac, NOW, &e), 0);
}

static void a_key_has_a_name_and_a_secret(void **state)
{
	static const char *const bad[] = {
		"",
		"hmac-sha256",
		"hmac-md5:ve:c2VjcmV0",
		"hmac-sha256:ve",
		"hmac-sha256::c2VjcmV0",
		"hmac-sha256:ve:",
		"hmac-sha256:ve:c2VjcmV0x",
		"hmac-sha256:ve:****",
	};
	struct dns_key k;
	struct err e;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		e = (struct err){ 0 };
		if (dns_key_parse(&k, bad[i], &e) != -EINVAL)
			fail_msg("%s", bad[i]);
	}
	e = (struct err){ 0 };
	assert_int_equal(
		dns_key_parse(&k, " hmac-sha256:a.b:c2VjcmV0cw==\n", &e), 0);
	assert_string_equal(k.name, "a.b");
	assert_int_equal(k.len, 7);
	assert_memory_equal(k.secret, "secrets", 7);
}

static void what_is_no_name_or_address_is_not_sent(void **state)
{
	static const struct dns_change bad[] = {
		{ "a..b", NULL, NULL },
		{ "0123456789012345678901234567890123456789012345678901234567890123",
		  NULL, NULL },
		{ "box", "192.0.2", NULL },
		{ "box", "2001:db8::1", NULL },
		{ "box", NULL, "192.0.2.1" },
	};
	struct dns_server s = server();
	uint8_t mac[DNS_MAC];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		_buf_ struct buf b = { 0 };
		struct err e = { 0 };

		if (dns_compose(&s, &bad[i], 1, 1, NOW, &b, mac, &e) != -EINVAL)
			fail_msg("%s", bad[i].label);
	}
}

static int compose_many(const char *zone, int32_t n)
{
	static char labels[DNS_CHANGES_MAX][64];
	struct dns_change c[DNS_CHANGES_MAX];
	struct dns_server s = server();
	_buf_ struct buf b = { 0 };
	uint8_t mac[DNS_MAC];
	struct err e = { 0 };

	s.zone = zone;
	for (int i = 0; i < n; i++) {
		snprintf(labels[i], sizeof(labels[i]), "%063d", i);
		c[i] = (struct dns_change){ labels[i], "192.0.2.1",
					    "2001:db8::1" };
	}
	return dns_compose(&s, c, (size_t)n, 1, NOW, &b, mac, &e);
}

static void as_many_go_into_one_message_as_fit(void **state)
{
	char zone[188];

	for (size_t i = 0; i < sizeof(zone) - 1; i++)
		zone[i] = i % 60 == 59 ? '.' : 'z';
	zone[sizeof(zone) - 1] = '\0';
	assert_in_range(dns_room("ve.example"), 100, DNS_CHANGES_MAX);
	assert_int_equal(compose_many("ve.example", dns_room("ve.example")), 0);
	assert_in_range(dns_room(zone), 10, 60);
	assert_int_equal(compose_many(zone, dns_room(zone)), 0);
	assert_int_equal(compose_many(zone, DNS_CHANGES_MAX), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_update_replaces_what_a_name_says),
		cmocka_unit_test(an_answer_counts_that_the_key_has_signed),
		cmocka_unit_test(what_is_cut_or_changed_counts_for_nothing),
		cmocka_unit_test(a_key_has_a_name_and_a_secret),
		cmocka_unit_test(what_is_no_name_or_address_is_not_sent),
		cmocka_unit_test(as_many_go_into_one_message_as_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
