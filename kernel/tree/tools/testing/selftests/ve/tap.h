/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SELFTESTS_VE_TAP_H
#define _SELFTESTS_VE_TAP_H

/* TAP 13 on standard output; tap_done() is the exit status of main(). */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3)))
static inline bool ok(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	tap_failed += !good;
	return good;
}

/* A call that must fail with @want; @ret is what it returned. */
static inline bool refused(int ret, int want, const char *what)
{
	int e = errno;
	bool good = ret == -1 && e == want;

	ok(good, "%s: %s", what, strerror(want));
	if (!good)
		printf("# returned %d, errno %s\n", ret, ret == -1 ? strerror(e) : "not set");
	return good;
}

static inline int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
