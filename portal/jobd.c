// SPDX-License-Identifier: Apache-2.0
#include "portal/jobd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "agent/libve/clean.h"
#include "agent/libve/client.h"
#include "agent/libve/log.h"
#include "portal/sandbox.h"

#define WORKERS 4 /* for each node */

void pause_ms(int ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

struct client *node_client(const struct node *n)
{
	struct client_conf c = { .base = n->url,
				 .ca = n->conf->node_ca,
				 .cert = n->conf->control_cert,
				 .key = n->conf->control_key,
				 .node = n->id };
	struct client *out = NULL;
	struct err e = { 0 };

	if (client_open(&out, &c, &e))
		fatal("node %s: %s", n->id, e.text);
	return out;
}

void node_stir(struct node *n)
{
	pthread_mutex_lock(&n->lock);
	n->dirty = true;
	pthread_cond_signal(&n->changed);
	pthread_mutex_unlock(&n->lock);
}

bool node_is_gone(struct node *n)
{
	bool gone;

	pthread_mutex_lock(&n->lock);
	gone = n->gone;
	pthread_mutex_unlock(&n->lock);
	return gone;
}

void node_await(struct node *n, int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_nsec -= 1000000000L;
		t.tv_sec++;
	}
	pthread_mutex_lock(&n->lock);
	while (!n->dirty)
		if (pthread_cond_timedwait(&n->changed, &n->lock, &t))
			break;
	n->dirty = false;
	pthread_mutex_unlock(&n->lock);
}

static int on_event(void *arg, const struct sse *ev)
{
	if (ev && ev->event && strcmp(ev->event, "terminal") != 0)
		node_stir(arg);
	return node_is_gone(arg);
}

static void *listen_run(void *arg)
{
	struct node *n = arg;
	struct client *c = node_client(n);

	while (!node_is_gone(n)) {
		struct err e = { 0 };

		client_follow(c, "/v1/events", NULL, on_event, n, &e);
		node_stir(n);
		pause_ms(1000);
	}
	client_close(c);
	return NULL;
}

static void start_thread(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	if (pthread_create(&t, NULL, fn, arg))
		fatal("cannot start a thread");
	pthread_detach(t);
}

void node_start(struct node *n)
{
	pthread_mutex_init(&n->lock, NULL);
	pthread_cond_init(&n->changed, NULL);
	start_thread(drive_run, n);
	start_thread(listen_run, n);
	start_thread(urgent_run, n);
	for (int i = 0; i < WORKERS; i++)
		start_thread(work_run, n);
}

static void read_conf(struct conf *c, const char *file)
{
	static const char *const needed[] = { "db", "node_ca", "control_cert",
					      "control_key", NULL };
	static const char *const links[] = { "public_url", NULL };
	struct err e = { 0 };

	if (conf_read(c, file, &e) || conf_need(c, needed, &e))
		fatal("%s", e.text);
	if (c->smtp_url && conf_need(c, links, &e))
		fatal("smtp_url is there, but %s", e.text);
}

int main(int argc, char **argv)
{
	const char *file = "/etc/ve-jobd.conf";
	_conf_ struct conf c = { 0 };
	struct err e = { 0 };
	bool test = false;
	int opt;

	log_init("ve-jobd");
	while ((opt = getopt(argc, argv, "c:t")) != -1) {
		if (opt == 'c')
			file = optarg;
		else if (opt == 't')
			test = true;
		else
			return fputs("usage: ve-jobd [-t] [-c FILE]\n", stderr),
			       2;
	}
	read_conf(&c, file);
	if (test)
		return 0;
	signal(SIGPIPE, SIG_IGN);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	/* an unprivileged process reads the keys anew for each connection */
	if (sandbox_drop(c.user, &e))
		fatal("%s", e.text);
	if (c.smtp_url)
		start_thread(mail_run, &c);
	house_run(&c);
	return 0;
}
