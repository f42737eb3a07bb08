// SPDX-License-Identifier: Apache-2.0
#include "portal/file.h"

#include <errno.h>
#include <fcntl.h>

#include "agent/libve/clean.h"

int file_read(const char *path, size_t max, struct buf *out, struct err *e)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[16384];
	size_t total = 0;
	ssize_t n;

	if (fd < 0)
		return err_sys(e, "%s", path);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		total += (size_t)n;
		if (total > max)
			return err_set(e, -E2BIG, "%s: longer than %zu bytes",
				       path, max);
		buf_put(out, chunk, (size_t)n);
	}
	return n < 0 ? err_sys(e, "%s", path) : 0;
}
