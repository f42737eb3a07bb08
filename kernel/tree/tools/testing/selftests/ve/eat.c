// SPDX-License-Identifier: GPL-2.0-only
#include "eat.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int listener(struct sockaddr_in *a)
{
	socklen_t n = sizeof(*a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	*a = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	return bind(fd, (void *)a, n) || listen(fd, 16) || getsockname(fd, (void *)a, &n) ? -1 : fd;
}

int tcp_pair(int *in)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0), out = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(l, (void *)&a, n) || listen(l, 1) || getsockname(l, (void *)&a, &n) ||
	    connect(out, (void *)&a, n))
		return -1;
	*in = accept(l, NULL, NULL);
	return *in < 0 ? -1 : out;
}

/* Where bounds change all the time a page for the pipe may be refused, too. */
static void say(int n, int error)
{
	struct timespec moment = { .tv_nsec = 10000000 };
	char line[32];
	int len = snprintf(line, sizeof(line), "%d %d\n", n, error);

	while (write(1, line, (size_t)len) < 0 && errno == ENOMEM)
		nanosleep(&moment, NULL);
}

int eat_main(int argc, char **argv, const struct eat_row *rows, size_t n,
	     void (*give_back)(const char *row, int taken))
{
	int (*eat)(void) = NULL;
	char c;
	int taken, most;

	signal(SIGCHLD, SIG_IGN);
	for (size_t i = 0; argc == 3 && i < n; i++)
		if (!strcmp(rows[i].row, argv[1]))
			eat = rows[i].eat;
	if (!eat) {
		fprintf(stderr, "usage: %s ROW COUNT\n", argv[0]);
		return 2;
	}
	most = atoi(argv[2]);
	if (write(1, " ", 1) < 0) /* the page for what is said when nothing is left */
		return 2;
	errno = 0;
	for (taken = 0; taken < most && eat() >= 0; taken++)
		errno = 0;
	say(taken, taken < most ? errno : 0);
	while (read(0, &c, 1) > 0)
		;
	give_back(argv[1], taken);
	return 0;
}
