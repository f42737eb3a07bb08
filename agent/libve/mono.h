/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_MONO_H
#define VE_LIBVE_MONO_H

/* The clock of deadlines: milliseconds, never set, not counted while the machine is
 * suspended (CLOCK_MONOTONIC, clock_gettime(2)). */
#include <stdint.h>
#include <time.h>

static inline int64_t mono_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#endif
