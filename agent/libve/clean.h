/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_CLEAN_H
#define VE_LIBVE_CLEAN_H

/*
 * Release at the end of the scope.  Declare and initialise in one line; hand a
 * value over to somebody else with take_ptr() or take_fd().
 */
#include <stdlib.h>
#include <unistd.h>

static inline void clean_free(void *p)
{
	free(*(void **)p);
}

static inline void clean_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define _free_ __attribute__((cleanup(clean_free)))
#define _close_ __attribute__((cleanup(clean_close)))

static inline int take_fd(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}

#define take_ptr(pp)                         \
	({                                   \
		__typeof__(*(pp)) v_ = *(pp); \
		*(pp) = NULL;                \
		v_;                          \
	})

/* Allocation never fails for a caller: no memory ends the process, whose state
 * lives in the kernel and in the database.  No size that came from outside
 * reaches these before it met a bound. */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
