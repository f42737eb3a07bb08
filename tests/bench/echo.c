// SPDX-License-Identifier: Apache-2.0
/*
 * From a keystroke to its echo, through two ways to the same VE in turns.
 * Each way is a shell command that joins its standard input and output to a
 * terminal there.
 *
 *   bench_echo SAMPLES NAME COMMAND NAME COMMAND    one sample a line
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WAYS 2
#define WAIT_MS 60000
#define TYPIST_MS 20 /* between keystrokes, so that one does not meet the other */

static const char setup[] = "cd /; echo re\"\"ady; exec cat >/dev/null\n";

struct way {
	const char *name;
	int in, out;
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void die(const struct way *w, const char *why)
{
	printf("echo wall %s ms error %s\n", w->name, why);
	exit(1);
}

static void start(struct way *w, const char *command)
{
	int to[2], from[2];

	if (pipe(to) || pipe(from))
		die(w, "no pipe");
	if (!fork()) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		close(to[1]);
		close(from[0]);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	w->in = to[1];
	w->out = from[0];
}

static void type(const struct way *w, const char *text, size_t n)
{
	if (write(w->in, text, n) != (ssize_t)n)
		die(w, "it takes no input");
}

/* One byte that the terminal shows. */
static char seen(const struct way *w)
{
	struct pollfd p = { .fd = w->out, .events = POLLIN };
	char c;

	if (poll(&p, 1, WAIT_MS) != 1)
		die(w, "no echo came");
	if (read(w->out, &c, 1) != 1)
		die(w, "it has ended");
	return c;
}

static void await(const struct way *w, const char *word)
{
	size_t at = 0, n = strlen(word);

	while (at < n) {
		char c = seen(w);

		at = c == word[at] ? at + 1 : c == *word;
	}
}

static void sample(const struct way *w, char key)
{
	const struct timespec pause = { .tv_nsec = TYPIST_MS * 1000000L };
	double since = now_ms();

	type(w, &key, 1);
	while (seen(w) != key)
		;
	printf("echo wall %s ms %.3f\n", w->name, now_ms() - since);
	nanosleep(&pause, NULL);
}

int main(int argc, char **argv)
{
	struct way ways[WAYS];

	if (argc != 2 + 2 * WAYS)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < WAYS; i++) {
		ways[i].name = argv[2 + 2 * i];
		start(&ways[i], argv[3 + 2 * i]);
		type(&ways[i], setup, sizeof(setup) - 1);
		await(&ways[i], "ready\r\n");
	}
	for (int n = atoi(argv[1]), k = 0; k < n; k++)
		for (int i = 0; i < WAYS; i++)
			sample(&ways[i], (char)('a' + k % 26));
	return 0;
}
