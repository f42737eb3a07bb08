// SPDX-License-Identifier: Apache-2.0
#include "agent/confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/libve/log.h"
#include "agent/sandbox.h"

/*
 * What is left, and why.  The overlay keeps the credentials that it was mounted
 * with and works on the private tree by them, so the file capabilities are not
 * only our own.  CAP_SYS_RESOURCE is not here on purpose: with it a VE would
 * write into the file system's reserve and past its quota.
 */
static const int needed[] = {
	CAP_SYS_ADMIN,	     /* env_create and its like, mounts, quota */
	CAP_NET_ADMIN,	     /* routes to what was lent */
	CAP_SETUID,	     /* the overlay's owner (fsuid) */
	CAP_SETGID,	     /* the same */
	CAP_CHOWN,	     /* pipes of a command; copies of template files */
	CAP_DAC_OVERRIDE,    /* private trees belong to the VEs' ids */
	CAP_DAC_READ_SEARCH, /* the same, for what is erased */
	CAP_FOWNER,	     /* modes and times of copies of template files */
	CAP_FSETID,	     /* their set-user-ID bits */
	CAP_MKNOD,	     /* a template's devices, copied up */
	CAP_SETFCAP,	     /* a template's file capabilities, copied up */
};

#define BITS (SECBIT_NO_SETUID_FIXUP | SECBIT_NOROOT)
#define LOCKS (SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_NOROOT_LOCKED)

static uint64_t needed_set(void)
{
	uint64_t set = 0;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		set |= 1ull << needed[i];
	return set;
}

/* The kernel may know more capabilities than our headers do. */
static void drop_bounding(uint64_t keep)
{
	for (unsigned long c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
		if (!(c < 64 && (keep >> c & 1)) &&
		    prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0)
			fatal("capability %lu cannot be given up: %s", c,
			      strerror(errno));
}

static void set_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2] = {
		{ .effective = (uint32_t)keep, .permitted = (uint32_t)keep },
		{ .effective = (uint32_t)(keep >> 32),
		  .permitted = (uint32_t)(keep >> 32) },
	};

	if (syscall(SYS_capset, &head, data) < 0)
		fatal("priv needs capabilities that it was not given: %s",
		      strerror(errno));
}

void confine(void)
{
	uint64_t keep = needed_set();

	if (geteuid() != 0)
		fatal("not started as root: a node's agent must be");
	/* a program that priv should ever run gets nothing for being root;
	 * changing the fsuid keeps the capabilities */
	if (prctl(PR_SET_SECUREBITS, BITS | LOCKS, 0, 0, 0) < 0)
		fatal("securebits: %s", strerror(errno));
	drop_bounding(keep);
	set_capabilities(keep);
	sandbox_enter(SANDBOX_PRIV);
}
