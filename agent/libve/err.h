/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_ERR_H
#define VE_LIBVE_ERR_H

/*
 * What went wrong, in words, for whoever asked.  Lives on the caller's stack
 * and needs no release.  The place that knows the cause writes the words once;
 * the boundary (HTTP status, exit code, log line) translates them once.
 */
struct err {
	int code;	/* negative errno, 0 while nothing is wrong */
	char text[240]; /* lower case, cause first, no full stop */
};

/*
 * Record the first failure and return @code, so that a caller can write
 * "return err_set(e, -ENOSPC, ...)".  Later calls keep the first words.
 * @e may be NULL when nobody wants the words.
 */
int err_set(struct err *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* err_set() with -errno as the code and its text behind the words. */
int err_sys(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
