/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SELFTESTS_VE_ENVLIB_H
#define _SELFTESTS_VE_ENVLIB_H

/*
 * The VE calls for test programs in a guest, without the agent.  Everything
 * here ends the program with a message on failure, unless said otherwise.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/ve.h>

/* The raw calls: result or -1 with errno. */
int env_create(const struct env_create_args *args, size_t size);
int env_enter(int fd, const struct env_enter_args *args, size_t size);
int env_ctl(int fd, unsigned int cmd, void *arg, size_t size);

/* Ends with status 77 ("skipped") where the kernel has no VEs: nothing of
 * this may run on the build machine. */
void env_require(void);

/* A user namespace that maps 0.. to @first..; its descriptor. */
int env_idmap_ns(unsigned int first);

/* A detached mount of @dir, its ids as @userns maps them. */
int env_idmapped(const char *dir, int userns);

/* A detached overlay of the template on a fresh private tree in @dir, mapped
 * to ids from @id_first on as @userns has it.  A mount descriptor. */
int env_mount_root(const char *templ, const char *dir, unsigned int id_first,
		   int userns);

struct env_ve {
	envid_t veid;
	int fd;			/* VE descriptor */
	int acct, init, enter;	/* cgroup directories */
	char private[128];
};

/* Directories and root of VE @veid; fills @args for env_create().  The init
 * is @argv, found in the template; no descriptor is open in it. */
void env_prepare(struct env_ve *ve, envid_t veid, const char *templ,
		 struct env_create_args *args, char *const argv[]);

/* env_prepare() and env_create(). */
void env_start(struct env_ve *ve, envid_t veid, const char *templ,
	       char *const argv[]);

/* Barrier and limit of a row of its beancounter: @bound, or end the program. */
void env_bound(const struct env_ve *ve, int resource, uint64_t bound);

/* Run @argv as root in the VE with the caller's 0, 1, 2: a process
 * descriptor, or -1 with errno. */
int env_run(const struct env_ve *ve, char *const argv[]);

/* The same with @in as its 0 and @out as its 1 and 2. */
int env_run_with(const struct env_ve *ve, char *const argv[], int in, int out);

/* Lay @file into a prepared VE's private tree as /root/@as, before it runs. */
void env_put(const struct env_ve *ve, const char *file, const char *as);

/* Run a shell script as root in the VE; what it writes goes to @out (NUL at
 * the end, cut to @size).  wait(2) status, or -errno of the exec. */
int env_sh(const struct env_ve *ve, const char *script, char *out, size_t size);

/* Until the init of a template that boots (tiny, debian) has done what it does
 * at its start: what the VE holds and runs from now on is the caller's doing. */
void env_settle(const struct env_ve *ve);

/* Wait for a process descriptor: wait(2) status, or -errno of its exec. */
int env_wait(int fd);

/* What env_prepare() made, of a VE that does not run: cgroups, private tree. */
void env_clean(struct env_ve *ve);

/* Lend it the address @text without a deadline, or end the program. */
void env_lend(const struct env_ve *ve, int family, const char *text);

/* Kill it, wait until it is stopped, remove cgroups and private tree. */
void env_destroy(struct env_ve *ve);

/* How many VEs have a number, up to 64. */
unsigned int env_listed(void);

/* Poll @fd for @events with a deadline in ms; revents, 0 when it passed. */
int env_poll(int fd, int events, int timeout_ms);

void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
