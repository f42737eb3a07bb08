/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_BUF_H
#define VE_LIBVE_BUF_H

#include <stddef.h>

/*
 * A growing byte buffer; { 0 } is an empty one.  The text is always followed
 * by a NUL that @len does not count (once something was put in).
 */
struct buf {
	char *data;
	size_t len, cap;
};

void buf_put(struct buf *b, const void *data, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Drop @n bytes from the front; @n is at most b->len. */
void buf_shift(struct buf *b, size_t n);

/* Release the memory; the buffer is empty and usable again. */
void buf_free(struct buf *b);

#define _buf_ __attribute__((cleanup(buf_free)))

#endif
