/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_UTF8_H
#define VE_PORTAL_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Length of the well-formed UTF-8 sequence at @s (never 0x00), 0 when there is
 * none. */
size_t utf8_sequence(const char *s);

/* Whether all of @s is UTF-8 without control bytes (C0, DEL, C1). */
bool utf8_is_clean(const char *s);

#endif
