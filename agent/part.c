// SPDX-License-Identifier: Apache-2.0
#include "agent/part.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "agent/libve/log.h"

void part_drop(const char *user, const char *root)
{
	const struct passwd *pw;

	if (geteuid() != 0) {
		log_warn(
			"not started as root: running with the rights of uid %u",
			(unsigned)geteuid());
		return;
	}
	pw = getpwnam(user);
	if (!pw)
		fatal("there is no user '%s': create it, or name another one in"
		      " the configuration",
		      user);
	if (pw->pw_uid == 0)
		fatal("user '%s' is root", user);
	if (root && (chroot(root) < 0 || chdir("/") < 0))
		fatal("cannot make %s the root directory", root);
	if (setgroups(0, NULL) ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid))
		fatal("cannot become user '%s'", user);
	if (setuid(0) == 0)
		fatal("could become root again");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		fatal("no_new_privs is not available");
}

void part_orphaned(void)
{
	log_info("the supervisor is gone: ending");
	_exit(0); /* nothing of ours is to be undone, and other threads run */
}
