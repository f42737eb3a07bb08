// SPDX-License-Identifier: Apache-2.0
/*
 * Leases that begin and end, a second, through a running agent: every VE is sent
 * to sleep when it has an address and woken when it has none.  What counts is
 * what the agent's events tell, which it does when it is on the disk.
 *
 *   bench_lease SOCKET VES ROUNDS SECONDS COMMAND
 *
 * COMMAND is run between the rounds while the agent rests.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MOST 512
#define ROOM 65536

static struct line {
	int fd;
	size_t len;
	char buf[ROOM];
} lines[MOST + 1]; /* 0: events; else of VE i */

static struct {
	bool leased, asleep, busy; /* an operation is under way */
} ves[MOST + 1];

static const char *socket_path;
static int nves;
static bool driving;
static unsigned long began, ended;

static void die(const char *what)
{
	fprintf(stderr, "bench_lease: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void dial(struct line *l)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", socket_path);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(l->fd, (struct sockaddr *)&un, sizeof(un)) < 0)
		die(socket_path);
	l->len = 0;
}

static void say(struct line *l, const char *text)
{
	if (write(l->fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("request");
}

static void act(int veid, const char *action)
{
	static unsigned long serial;
	char body[64], text[512];

	snprintf(body, sizeof(body), "{\"action\":\"%s\"}", action);
	snprintf(text, sizeof(text),
		 "POST /v1/ves/%d/actions HTTP/1.1\r\nHost: localhost\r\n"
		 "Idempotency-Key: bench-%d-%lu\r\nContent-Length: %zu\r\n\r\n%s",
		 veid, (int)getpid(), ++serial, strlen(body), body);
	ves[veid].busy = true;
	say(&lines[veid], text);
}

static void create(int veid)
{
	static const char body[] =
		"{\"template\":\"tiny\",\"desired\":\"running\",\"generation\":1}";
	char text[512];

	snprintf(text, sizeof(text),
		 "PUT /v1/ves/%d HTTP/1.1\r\nHost: localhost\r\n"
		 "If-None-Match: *\r\nContent-Length: %zu\r\n\r\n%s",
		 veid, sizeof(body) - 1, body);
	ves[veid].busy = true;
	say(&lines[veid], text);
}

/* The next step of a VE that has nothing under way. */
static void step(int veid)
{
	if (ves[veid].busy || !driving)
		return;
	if (ves[veid].leased && !ves[veid].asleep)
		act(veid, "idle");
	else if (!ves[veid].leased && ves[veid].asleep)
		act(veid, "wake");
}

static const char *text_of(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) ?
		       json_object_get_string(v) :
		       "";
}

static void on_event(const char *kind, const char *data)
{
	struct json_object *o;
	int veid;

	if (strcmp(kind, "lease") && strcmp(kind, "operation"))
		return;
	o = json_tokener_parse(data);
	veid = o ? atoi(text_of(o, "veid")) : 0;
	if (veid < 1 || veid > nves) {
		json_object_put(o);
		return;
	}
	if (!strcmp(kind, "lease")) {
		bool begins = !strcmp(text_of(o, "what"), "began");

		ves[veid].leased = begins;
		*(begins ? &began : &ended) += 1;
	} else {
		if (strcmp(text_of(o, "state"), "succeeded")) {
			fprintf(stderr, "bench_lease: %s\n", data);
			exit(1);
		}
		ves[veid].busy = false;
		ves[veid].asleep = !strcmp(text_of(o, "kind"), "idle");
	}
	step(veid);
	json_object_put(o);
}

/* Whole events out of what has come so far. */
static void read_events(struct line *l)
{
	char *at = l->buf, *end;

	while ((end = strstr(at, "\n\n"))) {
		char *kind = strstr(at, "event: "), *data = strstr(at, "data: ");

		*end = '\0';
		if (kind && data && kind < end && data < end) {
			kind += 7;
			data += 6;
			kind[strcspn(kind, "\n")] = '\0';
			on_event(kind, data);
		}
		at = end + 2;
	}
	l->len -= (size_t)(at - l->buf);
	memmove(l->buf, at, l->len + 1);
}

/* An answer ends with its body; what it says comes as an event too. */
static void read_answer(struct line *l)
{
	char *body = strstr(l->buf, "\r\n\r\n"), *length;
	size_t need;

	if (!body)
		return;
	length = strcasestr(l->buf, "content-length:");
	need = (size_t)(body + 4 - l->buf) + (length ? strtoul(length + 15, NULL, 10) : 0);
	if (l->len < need)
		return;
	if (strncmp(l->buf, "HTTP/1.1 20", 11)) {
		fprintf(stderr, "bench_lease: %s\n", l->buf);
		exit(1);
	}
	l->len = 0;
}

static void turn(int ms)
{
	struct pollfd p[MOST + 1];

	for (int i = 0; i <= nves; i++)
		p[i] = (struct pollfd){ lines[i].fd, POLLIN, 0 };
	if (poll(p, (nfds_t)nves + 1, ms) <= 0)
		return;
	for (int i = 0; i <= nves; i++) {
		struct line *l = &lines[i];
		ssize_t n;

		if (!p[i].revents)
			continue;
		n = read(l->fd, l->buf + l->len, ROOM - 1 - l->len);
		if (n <= 0)
			die("the agent hung up");
		l->len += (size_t)n;
		l->buf[l->len] = '\0';
		if (i)
			read_answer(l);
		else
			read_events(l);
	}
}

static bool at_rest(void)
{
	for (int i = 1; i <= nves; i++)
		if (ves[i].busy || ves[i].leased == ves[i].asleep)
			return false;
	return true;
}

static void settle(void)
{
	double until = now() + 60;

	while (!at_rest()) {
		if (now() > until)
			die("the agent does not come to rest");
		turn(100);
	}
}

static double measure(double seconds)
{
	unsigned long before;
	double start;

	driving = true;
	for (int i = 1; i <= nves; i++)
		step(i);
	for (start = now(); now() < start + 0.5;)
		turn(10);
	before = began + ended;
	for (start = now(); now() < start + seconds;)
		turn(10);
	seconds = now() - start;
	driving = false;
	return (double)(began + ended - before) / seconds;
}

int main(int argc, char **argv)
{
	if (argc != 6)
		return 2;
	socket_path = argv[1];
	nves = atoi(argv[2]);
	if (nves < 1 || nves > MOST)
		return 2;
	for (int i = 0; i <= nves; i++)
		dial(&lines[i]);
	say(&lines[0], "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
	turn(1000);
	for (int i = 1; i <= nves; i++)
		create(i);
	settle();
	for (int round = 0; round < atoi(argv[3]); round++) {
		printf("lease native vestibule 1/s %.1f\n",
		       measure(atof(argv[4])));
		fflush(stdout);
		settle();
		if (system(argv[5]) != 0)
			return 1;
	}
	fprintf(stderr, "%lu leases began, %lu ended, of %d VEs\n", began,
		ended, nves);
	return 0;
}
