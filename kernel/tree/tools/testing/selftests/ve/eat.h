/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VE_TESTS_EAT_H
#define VE_TESTS_EAT_H

/*
 * PROGRAM ROW COUNT: what runs inside a VE for eater.h.  Takes COUNT of a resource,
 * or as many as it gets; says "COUNT ERRNO" (errno of the refusal, or 0), and keeps
 * them until its standard input ends.
 */
#include <netinet/in.h>
#include <stddef.h>

struct eat_row {
	const char *row;
	int (*eat)(void);	/* one more: -1 with errno when it is refused */
};
#define EAT_ROWS(rows) rows, sizeof(rows) / sizeof((rows)[0])

/* The program; @give_back what does not go with the process. */
int eat_main(int argc, char **argv, const struct eat_row *rows, size_t n,
	     void (*give_back)(const char *row, int taken));

/* A nonblocking socket that listens on loopback, at *@a; -1 when refused. */
int listener(struct sockaddr_in *a);

/* A connection over loopback: the end that connected, and *@in that accepted. */
int tcp_pair(int *in);

#endif
