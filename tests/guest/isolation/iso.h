/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VE_TESTS_ISO_H
#define VE_TESTS_ISO_H

/*
 * Isolation tests: a probe is one act that somebody hostile would try.  The same probe runs as each actor, and
 * a row of the table says what each has to get, so that every refusal stands beside the same call where it
 * succeeds.  A probe returns 0 (it was allowed) or an errno.
 *
 *   PROGRAM [--guard NAME]     all rows, or those that a guard is told by (see include/linux/ve_guard.h)
 *   PROGRAM --guarded          all rows that a guard is told by
 *   PROGRAM --list             the guards that its rows name
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "envlib.h"
#include "tap.h"

enum {				/* who tries */
	NODE,			/* the node's root */
	ROOT,			/* root of VE A */
	USER,			/* an ordinary user of VE A */
	OTHER,			/* root of VE B */
	ACTORS
};

#define NA 0xfff		/* this actor does not try it */
#define BROKEN 254		/* a probe could not do what comes before the act */

struct iso_row {
	const char *name;
	const char *guard;	/* the one guard that holds it, or NULL */
	int (*probe)(void);
	int want[ACTORS];
	bool rooted;		/* with the credentials of the node's root, as after an exploit (debug kernels) */
	unsigned long long features; /* VE A has them */
};

/* Descriptors that every probe finds open, made by the node: what a VE could be handed by mistake. */
enum {
	FD_ROOTED = 3,		/* become_root of the debug kernel */
	FD_REACH,		/* its reach */
	FD_VICTIM,		/* pidfd of a process of the node */
	FD_COUSIN,		/* pidfd of one of the node with VE A's credentials */
	FD_SHARED,		/* a directory that both VEs and the node may write */
	FD_HELPER,		/* a socket to a helper on the node */
	FD_NS,			/* the node's mount namespace */
	FD_NEIGHBOUR,		/* pidfd of a process of VE B */
	FD_MORE,		/* from here on: what a program's setup puts there */
	FD_END = FD_MORE + 4
};

#define ISO_QUEUE "/iso"	/* a POSIX queue of the node, if a setup makes one */

extern struct env_ve iso_a, iso_b;
extern int iso_victim;		/* the victim's pid on the node */

/* Runs all rows; @setup (or NULL) may prepare what the probes act on, once the VEs run. */
int iso_main(int argc, char **argv, const struct iso_row *rows, size_t n, void (*setup)(void));

/* The template that the VEs are made of. */
const char *iso_template(void);

/* What the node knows of processes, asked by a probe. */
struct iso_processes {
	int highest;		/* number of any process */
	int neighbour;		/* VE B's process, by its number on the node */
	int nr;			/* tasks of the VE that was asked for, by their numbers in it */
	int own[256];
};

/* Ask for those of the VE that the probe runs in (of none on the node); false when there is no answer. */
bool iso_processes(struct iso_processes *p);

/* Leave a probe running in VE A (its answer does not come); returns its process descriptor. */
int iso_leave(int (*probe)(void));

/* Let probes find @fd at @which instead; takes it over.  For a setup. */
void iso_replace(int which, int fd);

/* What system call @nr answers to arguments that none can use, asked by a process of its own: 0 or errno, 0 also
 * of one that does not come back within a second. */
int iso_ask(long nr);

/* 0, or errno of a call that returned @ret. */
static inline int iso_errno(long ret)
{
	return ret < 0 ? errno : 0;
}

#define ISO_ROWS(rows) rows, sizeof(rows) / sizeof((rows)[0])

#endif
