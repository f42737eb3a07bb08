/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_MONO_H
#define VE_LIBVE_MONO_H

/* The clock of deadlines: milliseconds, never set, not counted while the machine is
 * suspended (CLOCK_MONOTONIC, clock_gettime(2)). */
#include <pthread.h>
#include <stdint.h>
#include <time.h>

static inline int64_t mono_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* @ms (not negative) from now, for pthread_cond_timedwait() of a condition that
 * mono_cond_init() made. */
static inline struct timespec mono_after(int64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

static inline void mono_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

#endif
