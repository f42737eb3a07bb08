// SPDX-License-Identifier: Apache-2.0
#include "agent/libve/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *log_name = "ve";

void log_init(const char *name)
{
	log_name = name;
}

static size_t escape(char *out, size_t size, const char *in)
{
	size_t n = 0;

	for (; *in && n + 5 < size; in++) {
		unsigned char c = (unsigned char)*in;

		if (c < 0x20 || c == 0x7f)
			n += (size_t)snprintf(out + n, size - n, "\\x%02x", c);
		else
			out[n++] = (char)c;
	}
	out[n++] = '\n';
	return n;
}

static void put(int priority, const char *fmt, va_list ap)
{
	char text[1024], line[4096];
	size_t n = 0;

	vsnprintf(text, sizeof(text), fmt, ap);
	if (!isatty(STDERR_FILENO))
		n = (size_t)snprintf(line, sizeof(line), "<%d>", priority);
	n += (size_t)snprintf(line + n, sizeof(line) - n, "%s: ", log_name);
	n += escape(line + n, sizeof(line) - n, text);
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* nowhere left to say it */
}

#define LOG_BODY(priority)                   \
	do {                                 \
		va_list ap;                  \
		va_start(ap, fmt);           \
		put(priority, fmt, ap);      \
		va_end(ap);                  \
	} while (0)

void log_info(const char *fmt, ...)
{
	LOG_BODY(6);
}

void log_warn(const char *fmt, ...)
{
	LOG_BODY(4);
}

void log_err(const char *fmt, ...)
{
	LOG_BODY(3);
}

void fatal(const char *fmt, ...)
{
	LOG_BODY(2);
	exit(1);
}
