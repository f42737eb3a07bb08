// SPDX-License-Identifier: Apache-2.0
/* A file "fail-NAME", beside what the part keeps or in $VE_FAKE_DIR, has the part
 * die at the place of that name, once. */
#include "agent/libve/fail.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void fail_point(const char *name)
{
	const char *dir = getenv("VE_FAKE_DIR");
	char here[64], there[320];

	snprintf(here, sizeof(here), "fail-%s", name);
	snprintf(there, sizeof(there), "%s/%s", dir ? dir : ".", here);
	/* a call that each part may make */
	if (unlinkat(AT_FDCWD, here, 0) == 0 || unlinkat(AT_FDCWD, there, 0) == 0)
		_exit(99); /* nothing is flushed, closed in order or told */
}
