// SPDX-License-Identifier: Apache-2.0
#include "portal/sanity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "portal/fault.h"

static void header(struct sanity *s, const char *name, const char *value)
{
	sanity_header(s, name, strlen(name), value, strlen(value));
}

/* The status for a request with these headers (NULL at the end) besides Host. */
static int status(const char *method, const char *target,
		  const char *const *headers)
{
	struct sanity s = { 0 };
	int rc;

	sanity_target(&s, target);
	header(&s, "Host", "localhost:8443");
	for (; headers && *headers; headers += 2)
		header(&s, headers[0], headers[1]);
	rc = sanity_end(&s, method, "HTTP/1.1", "localhost:8443");
	return rc ? fault_of(rc)->status : 200;
}

#define GET(...) status("GET", "/", (const char *[]){ __VA_ARGS__, NULL })
#define POST(...) status("POST", "/", (const char *[]){ __VA_ARGS__, NULL })

static void targets_are_plain_paths(void **state)
{
	static const char *const bad[] = {
		"",	     "x",	 "*",	"http://a/", "/a b", "/\x01",
		"/\xc3\xa9", "/%",	 "/%4", "/%zz",	     "/%00", "/%0a",
		"/%7f",	     "/a?b=%00", "/#x", "/a\\b"
	};

	assert_int_equal(status("GET", "/", NULL), 200);
	assert_int_equal(status("GET", "/a/b?c=%20d", NULL), 200);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (status("GET", bad[i], NULL) != 400)
			fail_msg("%s", bad[i]);
}

static void headers_are_well_formed(void **state)
{
	struct sanity s = { 0 };

	assert_int_equal(GET("Accept", "text/html\t, */*"), 200);
	assert_int_equal(GET("Bad Name", "x"), 400);
	assert_int_equal(GET("Content-Length ", "5"), 400);
	assert_int_equal(GET("", "x"), 400);
	assert_int_equal(GET("X", "a\x01"), 400);
	assert_int_equal(GET("X", "a\x7f"), 400);
	sanity_header(&s, "X", 1, "a\0b", 3);
	assert_int_equal(fault_of(s.e.code)->status, 400);
}

static void a_body_has_one_length(void **state)
{
	assert_int_equal(POST("Content-Length", "5"), 200);
	assert_int_equal(POST("Accept", "x"), 411);
	assert_int_equal(POST("Content-Length", "5", "content-length", "5"),
			 400);
	assert_int_equal(POST("Content-Length", "5", "Transfer-Encoding",
			      "chunked"),
			 400);
	assert_int_equal(POST("Transfer-Encoding", "chunked"), 411);
	assert_int_equal(GET("Transfer-Encoding", "identity"), 411);
	assert_int_equal(POST("Content-Length", ""), 400);
	assert_int_equal(POST("Content-Length", "-1"), 400);
	assert_int_equal(POST("Content-Length", "0x5"), 400);
	assert_int_equal(POST("Content-Length", "5, 5"), 400);
	assert_int_equal(POST("Content-Length", "99999999999999999999"), 400);
}

static void there_is_one_host_and_it_is_ours(void **state)
{
	struct sanity s = { 0 };

	assert_int_equal(GET("Host", "localhost:8443"), 400);
	assert_int_equal(
		fault_of(sanity_end(&s, "GET", "HTTP/1.1", "a"))->status, 400);
	s = (struct sanity){ 0 };
	header(&s, "Host", "evil.example");
	assert_int_equal(
		fault_of(sanity_end(&s, "GET", "HTTP/1.1", "localhost:8443"))
			->status,
		421);
	s = (struct sanity){ 0 };
	header(&s, "host", "LOCALHOST:8443");
	assert_int_equal(sanity_end(&s, "GET", "HTTP/1.1", "localhost:8443"),
			 0);
	assert_int_equal(
		fault_of(sanity_end(&s, "GET", "HTTP/1.0", "localhost:8443"))
			->status,
		400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_plain_paths),
		cmocka_unit_test(headers_are_well_formed),
		cmocka_unit_test(a_body_has_one_length),
		cmocka_unit_test(there_is_one_host_and_it_is_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
