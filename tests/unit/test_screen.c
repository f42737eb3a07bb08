// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "agent/screen.h"

/* Whether a repaint after @output has @wanted in it. */
static bool paints(const char *output, const char *wanted)
{
	struct screen *s = screen_create(20, 4);
	struct buf out = { 0 };
	bool found;

	/* a byte at a time: a sequence may come in pieces */
	for (const char *c = output; *c; c++)
		screen_feed(s, c, 1);
	screen_paint(s, &out);
	found = memmem(out.data, out.len, wanted, strlen(wanted));
	buf_free(&out);
	screen_destroy(s);
	return found;
}

static void a_repaint_has_the_text(void **state)
{
	assert_true(paints("hello\r\nworld", "hello"));
	assert_true(paints("hello\r\nworld", "world"));
	assert_false(paints("hello\033[2J", "hello"));
	assert_true(paints("\033[31mred", "\033[0;38;5;1mred"));
}

static void a_repaint_has_the_modes(void **state)
{
	static const char app[] = "\033[?1h", normal[] = "\033[?1l";
	static const char paste[] = "\033[?2004h";

	assert_true(paints("x", normal));
	assert_false(paints("x", app));
	assert_true(paints("\033[?1h", app));
	assert_true(paints("\033[?25;1h", app));
	assert_true(paints("\033[?1h\033[?1l", normal));
	assert_true(paints("\033[?2004h", paste));
	assert_true(paints("\033[?1;2004h", app));
	assert_true(paints("\033[?1;2004h", paste));
	assert_false(paints("\033[?1h\033c", app));
	assert_false(paints("\033[?1h\033[!p", app));
	assert_true(paints("\033[?2004h\033[!p", paste));
	/* others that look alike */
	assert_false(paints("\033[1h", app));
	assert_false(paints("\033[?11h", app));
	assert_false(paints("\033[?99999999991h", app));
	assert_true(paints("\033[?1049h", "\033[?1049h"));
	assert_true(paints("\033[?\033[?1h", app));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_repaint_has_the_text),
		cmocka_unit_test(a_repaint_has_the_modes),
	};

	return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
