/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_LOG_H
#define VE_LIBVE_LOG_H

/*
 * One line a message to standard error, with the syslog priority prefix that
 * the journal understands ("<6>") when standard error is not a terminal.
 * Control characters in the text are shown as \xNN, so that a stranger's input
 * cannot write lines of its own.
 */

/* Name of this process in each line ("ve-agentd priv"); kept, not copied. */
void log_init(const char *name);

void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Log and exit(1): for start-up, and for what must never happen. */
void fatal(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

#endif
