/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VE_TESTS_EATER_H
#define VE_TESTS_EATER_H

/*
 * A row of a VE's beancounter, and an eater: a program (eat.h) that runs inside and
 * takes of it.
 */
#include <stdint.h>

#include "envlib.h"

struct env_ubstat stat_of(const struct env_ve *ve, int resource);

/* 0, or -1 with errno; @fd: of the VE. */
int set_bound(int fd, uint32_t resource, uint64_t barrier, uint64_t limit);

/* Until the row holds no more than @want, ten seconds at most: objects go after
 * an RCU grace period.  What it holds. */
uint64_t settle(const struct env_ve *ve, int resource, uint64_t want);

/* A VE of the tiny template with @program in it as its eater, netfilter allowed, and
 * its init at rest. */
struct env_ve eater_ve(envid_t id, const char *program);

struct eater {
	int proc;	/* process descriptor */
	int in;		/* closing it gives everything back */
	int got, error;
};

/* Until it has @most of @row, or as many as it gets.  Where bounds change meanwhile
 * the eater itself may be refused: then its proc is -1 and its error says why. */
struct eater may_eat(const struct env_ve *ve, const char *row, int most);

/* The same, or end the program. */
struct eater eat(const struct env_ve *ve, const char *row, int most);

/* Let it give back what it has: wait(2) status. */
int finish(struct eater *e);

#endif
