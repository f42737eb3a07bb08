// SPDX-License-Identifier: Apache-2.0
/*
 * Addresses lent and taken back, a second, by the agent: its part api as it is,
 * with its data base on the disk.  The part priv and the kernel are played here:
 * a VE that was given an address goes to sleep at once, one whose address was
 * taken back wakes.  The agent tells priv of an address when the lease is on the
 * disk, and takes the next only from those whose end is.
 *
 *   bench_lease AGENT CONF SOCKET VES ROUNDS SECONDS COMMAND
 *
 * COMMAND is run between the rounds while the agent rests.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/ve.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/libve/clean.h"
#include "agent/libve/client.h"
#include "agent/msg.h"

#define MOST 1024
#define FIRST 1000

static struct {
	bool runs, asleep, leased;
	struct addr addr;
} ves[MOST];

static unsigned nves, nleased;
static int priv;
static atomic_bool driving;
static atomic_ulong lent, taken;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_lease: %s: %s\n", what, why);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- priv ------------------------------------------------------------------ */

static void tell(const void *m)
{
	int r = msg_send(priv, m, NULL, 0);

	if (r < 0)
		die("the agent does not listen", strerror(-r));
}

static void done(const struct msg *m, int code)
{
	struct msg_done d = { .head = { MSG_DONE, m->m.head.id },
			      .code = code };

	tell(&d);
}

static void tell_state(unsigned i, uint32_t state)
{
	struct msg_state s = { .head.type = MSG_STATE,
			       .entry = { .veid = FIRST + i, .state = state } };

	tell(&s);
}

/* What an address does next to the VE. */
static void turn(unsigned i)
{
	if (!driving || ves[i].leased == ves[i].asleep)
		return;
	ves[i].asleep = ves[i].leased;
	tell_state(i, ves[i].asleep ? ENV_ST_FROZEN : ENV_ST_RUNNING);
}

static int set_address(unsigned i, const struct msg_addr *a)
{
	if (!a->add) {
		if (!ves[i].leased || !addr_equal(&ves[i].addr, &a->addr))
			return -EADDRNOTAVAIL;
		ves[i].leased = false;
		nleased--;
		taken++;
		return 0;
	}
	for (unsigned k = 0; k < nves; k++)
		if (ves[k].leased && addr_equal(&ves[k].addr, &a->addr))
			die("an address was lent twice", "that must not be");
	ves[i].addr = a->addr;
	ves[i].leased = true;
	nleased++;
	lent++;
	return 0;
}

static void list(const struct msg *m)
{
	struct msg_entries e = { .head = { MSG_ENTRIES_IS, m->m.head.id },
				 .abi = 1 };

	for (unsigned i = 0; i < nves && !e.more; i++) {
		if (!ves[i].runs || FIRST + i <= m->m.ve.arg)
			continue;
		e.more = e.nr == MSG_ENTRIES;
		if (!e.more)
			e.entries[e.nr++] = (struct msg_entry){
				.veid = FIRST + i,
				.state = ves[i].asleep ? ENV_ST_FROZEN
						       : ENV_ST_RUNNING,
			};
	}
	tell(&e);
}

static void answer(const struct msg *m)
{
	struct msg_templates t = { .head = { MSG_TEMPLATES_ARE, m->m.head.id },
				   .nr = 1,
				   .templates = { { .name = "tiny" } } };
	struct msg_activities a = { .head = { MSG_ACTIVITIES,
					      m->m.head.id } };
	unsigned i = m->m.ve.veid - FIRST;

	switch (m->m.head.type) {
	case MSG_LIST:
		list(m);
		return;
	case MSG_TEMPLATES_ASK:
		tell(&t);
		return;
	case MSG_ACTIVITY:
		tell(&a);
		return;
	case MSG_START:
		ves[i].runs = true;
		tell_state(i, ENV_ST_RUNNING);
		done(m, 0);
		return;
	case MSG_ADDR:
		done(m, set_address(i, &m->m.addr));
		turn(i);
		return;
	default:
		done(m, 0);
	}
}

static void *play(void *arg)
{
	static struct msg m;
	int r;

	while ((r = msg_recv(priv, &m)) == 0)
		answer(&m);
	die("the agent hung up", strerror(-r));
	return NULL;
}

/* ---- the agent ------------------------------------------------------------- */

static void link_up(int line, uint32_t what, int fd)
{
	struct msg_link_is l = { .head.type = MSG_LINK, .what = what };

	if (msg_send(line, &l, &fd, 1) < 0)
		die("the agent", "does not listen");
}

static pid_t start(const char *agent, const char *conf, const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int line[2], ours[2], ctl = socket(AF_UNIX, SOCK_STREAM, 0);
	pid_t pid;

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	if (bind(ctl, (struct sockaddr *)&un, sizeof(un)) < 0 ||
	    listen(ctl, 16) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, line) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ours) < 0)
		die(path, strerror(errno));
	pid = fork();
	if (pid == 0) {
		dup2(line[1], 3);
		close_range(4, ~0u, 0);
		execl(agent, "ve-agentd", "-P", "api", "-c", conf, NULL);
		_exit(127);
	}
	close(line[1]);
	priv = ours[0];
	link_up(line[0], LINK_PRIV, ours[1]);
	link_up(line[0], LINK_CTL, ctl);
	return pid;
}

static void call(struct client *c, const char *path, const char *header,
		 const char *body, struct reply *r)
{
	const char *headers[] = { header, NULL };
	struct err e = { 0 };

	if (client_call(c,
			&(struct call){ .method = "PUT",
					.path = path,
					.headers = headers,
					.body = body,
					.len = strlen(body) },
			r, &e) < 0)
		die(path, e.text);
	if (r->status >= 400)
		die(path, r->detail);
}

static void lend_block(struct client *c)
{
	char nonce[40] = "";

	for (int i = 0; i < 2; i++) {
		char *body _free_ = xasprintf(
			"{\"range\":\"10.9.0.0/22\",\"term_ms\":3600000,"
			"\"nonce\":\"%s\"}",
			nonce);
		struct reply r _reply_ = { 0 };
		const char *at;

		call(c, "/v1/blocks/b1", NULL, body, &r);
		at = strstr(r.body.data, "\"nonce\":\"");
		snprintf(nonce, sizeof(nonce), "%.32s", at ? at + 9 : "");
	}
}

static void await(unsigned want)
{
	static const struct timespec look = { .tv_nsec = 1000000 };
	double until = now() + 60;

	while (nleased != want) {
		if (now() > until)
			die("the agent", "does not come to rest");
		nanosleep(&look, NULL);
	}
}

static void set_up(const char *path)
{
	struct client_conf conf = { .base = "http://localhost",
				    .unix_path = path };
	struct err e = { 0 };
	struct client *c;

	if (client_open(&c, &conf, &e) < 0)
		die(path, e.text);
	lend_block(c);
	for (unsigned i = 0; i < nves; i++) {
		char *where _free_ = xasprintf("/v1/ves/%u", FIRST + i);
		struct reply r _reply_ = { 0 };

		call(c, where, "If-None-Match: *",
		     "{\"template\":\"tiny\",\"desired\":\"running\","
		     "\"generation\":1}",
		     &r);
	}
	client_close(c);
	await(nves);
}

static void measure(double seconds)
{
	struct timespec t = { .tv_nsec = 500000000 };
	unsigned long before;
	double begin;

	driving = true;
	for (unsigned i = 0; i < nves; i++)
		tell_state(i, ENV_ST_FROZEN);
	for (unsigned i = 0; i < nves; i++)
		ves[i].asleep = true;
	nanosleep(&t, NULL);
	before = lent + taken;
	begin = now();
	t = (struct timespec){ .tv_sec = (time_t)seconds };
	nanosleep(&t, NULL);
	printf("lease native vestibule 1/s %.1f\n",
	       (double)(lent + taken - before) / (now() - begin));
	fflush(stdout);
	driving = false;
}

/* Those that sleep are woken, until all have an address. */
static void rest(void)
{
	static const struct timespec look = { .tv_nsec = 50000000 };

	for (int i = 0; i < 200 && nleased != nves; i++) {
		nanosleep(&look, NULL);
		for (unsigned k = 0; k < nves; k++) {
			if (!ves[k].asleep || ves[k].leased)
				continue;
			ves[k].asleep = false;
			tell_state(k, ENV_ST_RUNNING);
		}
	}
	await(nves);
}

int main(int argc, char **argv)
{
	pthread_t t;
	pid_t pid;

	if (argc != 8)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	nves = (unsigned)atoi(argv[4]);
	if (nves < 1 || nves > MOST)
		return 2;
	pid = start(argv[1], argv[2], argv[3]);
	pthread_create(&t, NULL, play, NULL);
	set_up(argv[3]);
	for (int round = 0; round < atoi(argv[5]); round++) {
		measure(atof(argv[6]));
		rest();
		if (system(argv[7]) != 0)
			return 1;
	}
	fprintf(stderr, "%lu addresses lent, %lu taken back, %u VEs\n",
		(unsigned long)lent, (unsigned long)taken, nves);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}
