/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_PORTAL_FILE_H
#define VE_PORTAL_FILE_H

#include <stddef.h>

#include "agent/libve/buf.h"
#include "agent/libve/err.h"

/* Append the file's bytes, at most @max of them, to @out.  0, -E2BIG, or
 * another -errno with words. */
int file_read(const char *path, size_t max, struct buf *out, struct err *e);

#endif
