// SPDX-License-Identifier: Apache-2.0
/* A file "fail-NAME", beside what the part keeps or in $VE_FAKE_DIR, has the part
 * die at the place of that name, once.  "hold-NAME", beside what it keeps, has who
 * comes to that place stay there for as long as the file does. */
#include "agent/libve/fail.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void fail_point(const char *name)
{
	const char *dir = getenv("VE_FAKE_DIR");
	char here[64], there[320], hold[64];
	struct stat st;

	snprintf(here, sizeof(here), "fail-%s", name);
	snprintf(there, sizeof(there), "%s/%s", dir ? dir : ".", here);
	/* a call that each part may make */
	if (unlinkat(AT_FDCWD, here, 0) == 0 || unlinkat(AT_FDCWD, there, 0) == 0)
		_exit(99); /* nothing is flushed, closed in order or told */
	snprintf(hold, sizeof(hold), "hold-%s", name);
	while (fstatat(AT_FDCWD, hold, &st, 0) == 0) /* this one too */
		usleep(10000);
}
