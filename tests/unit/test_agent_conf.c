// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "agent/conf.h"

static struct err e;

static int parse(struct conf *c, const char *text)
{
	e = (struct err){ 0 };
	return conf_parse(c, text, "f", &e);
}

static void defaults_and_values(void **state)
{
	struct conf c;

	assert_int_equal(parse(&c, "# head\n\n node  n1 \r\nstop_ms\t5\nresolver 2001:db8::53\n"), 0);
	assert_string_equal(c.node, "n1");
	assert_int_equal(c.stop_ms, 5);
	assert_string_equal(c.resolver, "2001:db8::53");
	assert_int_equal(c.quarantine_ms, 60000);
	assert_string_equal(c.cgroup, "/sys/fs/cgroup/ve");
	assert_string_equal(c.file, "f");
}

static void errors_name_the_line(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "'node' is missing" },
		{ "node n1\nfoo 1\n", "f:2: unknown key 'foo'" },
		{ "node n1\nnode n2\n", "f:2: 'node' stands twice" },
		{ "node n1\nstop_ms x\n", "f:2:" },
		{ "node n1\nstop_ms -1\n", "f:2:" },
		{ "node n1\nstop_ms 99999999999999999999\n", "f:2:" },
		{ "node n1\nstop_ms\n", "f:2:" },
		{ "node n/1\n", "f:1:" },
		{ "node n1\nstate_dir relative\n", "f:2:" },
		{ "node n1\nstate_dir /a/../b\n", "f:2:" },
		{ "node n1\nresolver ns.example\n", "f:2:" },
		{ "node n1\nlisten :1\n", "needs" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct conf c;

		assert_int_equal(parse(&c, bad[i].text), -EINVAL);
		if (!strstr(e.text, bad[i].says))
			fail_msg("%s: said %s", bad[i].text, e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_and_values),
		cmocka_unit_test(errors_name_the_line),
	};

	return cmocka_run_group_tests_name("agent_conf", tests, NULL, NULL);
}
