// SPDX-License-Identifier: Apache-2.0
#include "portal/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "portal/ear.h"
#include "portal/passwd.h"
#include "portal/url.h"

static void tokens_are_valid_and_never_twice(void **state)
{
	char a[TOKEN_TEXT], b[TOKEN_TEXT];

	token_make(a);
	token_make(b);
	assert_true(token_is_valid(a));
	assert_false(token_equal(a, b));
	assert_true(token_equal(a, a));
	assert_false(token_equal(a, ""));
	assert_false(token_is_valid(""));
	a[3] = '!';
	assert_false(token_is_valid(a));
}

static void a_csrf_token_belongs_to_one_cookie(void **state)
{
	char a[TOKEN_TEXT], b[TOKEN_TEXT], ca[TOKEN_TEXT], cb[TOKEN_TEXT];

	token_make(a);
	token_make(b);
	token_csrf(ca, a);
	token_csrf(cb, b);
	assert_true(token_is_valid(ca));
	assert_string_not_equal(ca, cb);
	assert_string_not_equal(ca, a);
	token_csrf(cb, a);
	assert_string_equal(ca, cb);
}

static void passwords_are_checked(void **state)
{
	char hash[PASSWD_HASH];
	struct err e = { 0 };

	passwd_init();
	assert_int_equal(passwd_hash(hash, "correct horse", &e), 0);
	assert_true(passwd_verify(hash, "correct horse"));
	assert_false(passwd_verify(hash, "correct hors"));
	assert_false(passwd_verify(hash, ""));
	assert_false(passwd_verify(NULL, "nobody has this password"));
	assert_false(passwd_verify("nonsense", "x"));
	assert_false(passwd_is_old(hash));
	assert_true(passwd_is_old("$argon2id$v=19$m=4096,t=2,p=1$a$b"));
}

static void addresses_of_agents_are_taken_apart(void **state)
{
	static const char *const bad[] = { "http://a",	   "https://",
					   "https://:1",   "https://a:",
					   "https://a:1x", "https://a:123456",
					   "https://[::1", "https://[::1]x" };
	struct url u;
	struct err e = { 0 };

	assert_int_equal(url_parse(&u, "https://10.0.0.5:7443", &e), 0);
	assert_string_equal(u.host, "10.0.0.5");
	assert_string_equal(u.port, "7443");
	assert_int_equal(url_parse(&u, "https://[fd00::1]:7443", &e), 0);
	assert_string_equal(u.host, "fd00::1");
	assert_int_equal(url_parse(&u, "https://node", &e), 0);
	assert_string_equal(u.port, "443");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!url_parse(&u, bad[i], NULL))
			fail_msg("%s", bad[i]);
}

static void notifications_are_understood(void **state)
{
	struct ear_word w;

	assert_int_equal(ear_parse(&w, "session 17"), 0);
	assert_int_equal(w.session, 17);
	assert_int_equal(w.code, 4401);
	assert_int_equal(ear_parse(&w, "ve 1000 suspended"), 0);
	assert_int_equal(w.veid, 1000);
	assert_int_equal(w.code, 4403);
	assert_int_equal(ear_parse(&w, "ve 1000 gone"), 0);
	assert_int_equal(w.code, 4404);
	assert_int_equal(ear_parse(&w, "hello"), -22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_are_valid_and_never_twice),
		cmocka_unit_test(a_csrf_token_belongs_to_one_cookie),
		cmocka_unit_test(passwords_are_checked),
		cmocka_unit_test(addresses_of_agents_are_taken_apart),
		cmocka_unit_test(notifications_are_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
