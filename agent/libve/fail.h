/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_FAIL_H
#define VE_LIBVE_FAIL_H

/*
 * Named places where a test has the part die, as if it had been killed right
 * there.  Tests build the agent with them (tests/agent/fail.c); elsewhere they
 * are nothing.
 */
#ifdef VE_FAIL_POINTS
void fail_point(const char *name);
#else
static inline void fail_point(const char *name)
{
}
#endif

#endif
