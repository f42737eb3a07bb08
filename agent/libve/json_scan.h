/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_LIBVE_JSON_SCAN_H
#define VE_LIBVE_JSON_SCAN_H

/* The grammar check in front of json-c; part of json.h, used by json.c only. */
#include <stddef.h>

#include "agent/libve/err.h"

/*
 * Check that @len bytes at @text are one strict JSON value (RFC 8259) without
 * NUL, raw control characters, lone surrogates, integers beyond int64_t or more
 * than JSON_DEPTH levels.  @members gets the number of object members, so that
 * duplicate keys show when the tree holds fewer.  0 or -EBADMSG.
 */
int json_scan(const char *text, size_t len, size_t *members, struct err *e);

/* Length of the UTF-8 sequence at @s within @max (> 0) bytes; 0: it is none. */
size_t json_utf8(const unsigned char *s, size_t max);

#endif
