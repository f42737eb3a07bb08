// SPDX-License-Identifier: Apache-2.0
#include "portal/jobd.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>
#include <json-c/json.h>

#include "agent/libve/clean.h"
#include "agent/libve/client.h"
#include "agent/libve/log.h"
#include "agent/libve/mono.h"
#include "portal/db_job.h"
#include "portal/sandbox.h"

/*
 * For each node: fewer than the agent can be at, which has some for visitors; more
 * than job_take() lets wait for VEs that end.
 */
#define WORKERS 12

void pause_ms(int ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

static atomic_uint certs = 1; /* times they were new */

static void on_hup(int sig)
{
	certs++;
}

bool link_is_old(const struct link *l)
{
	return l->certs != certs;
}

void link_close(struct link *l)
{
	client_close(l->client);
	*l = (struct link){ 0 };
}

void link_renew(struct link *l, const struct node *n)
{
	struct client_conf c = { .base = n->url,
				 .ca = n->conf->node_ca,
				 .cert = n->conf->control_cert,
				 .key = n->conf->control_key,
				 .node = n->id };
	struct err e = { 0 };

	if (!link_is_old(l))
		return;
	link_close(l);
	l->certs = certs;
	/* curl reads the files anew with each connection */
	if (client_open(&l->client, &c, &e))
		fatal("node %s: %s", n->id, e.text);
}

static bool is_noted(const struct changes *c, uint32_t veid)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->veid[i] == veid)
			return true;
	return false;
}

void node_stir(struct node *n, uint32_t veid)
{
	struct changes *c = &n->changes;

	pthread_mutex_lock(&n->lock);
	if (!veid || c->count == CHANGES_MAX)
		c->all = true;
	else if (!is_noted(c, veid))
		c->veid[c->count++] = veid;
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

void node_await(struct node *n, int ms, struct changes *out)
{
	struct timespec t = mono_after(ms);

	pthread_mutex_lock(&n->lock);
	while (!n->changes.all && !n->changes.count && !n->gone)
		if (pthread_cond_timedwait(&n->changed, &n->lock, &t))
			break;
	*out = n->changes;
	n->changes = (struct changes){ 0 };
	pthread_mutex_unlock(&n->lock);
}

struct listening {
	struct node *node;
	struct link link;
	struct db *db;
	int64_t last; /* event that was heard, 0: none yet */
};

/* The VE that an event is about, 0 when it is about all. */
static uint32_t veid_of(const char *data)
{
	struct json_object *o = json_tokener_parse(data ? data : ""), *v;
	uint32_t veid = 0;

	if (json_object_object_get_ex(o, "veid", &v))
		veid = (uint32_t)json_object_get_int64(v);
	json_object_put(o);
	return veid;
}

/* What was refused is written down here; all else the driver looks at. */
static int on_event(void *arg, const struct sse *ev)
{
	struct listening *l = arg;
	struct err e = { 0 };

	int64_t id = ev && ev->id ? strtoll(ev->id, NULL, 10) : l->last;

	if (ev && ev->event && !strcmp(ev->event, "refused")) {
		/* not written: it is asked for again */
		if (db_refusal_add(l->db, l->node->id, id, ev->data, &e))
			return 1;
	} else if (ev && ev->event) {
		node_stir(l->node, veid_of(ev->data));
	}
	l->last = id;
	return node_is_gone(l->node) || link_is_old(&l->link);
}

/* Where another daemon, or the one before, has heard up to. */
static void find_last(struct listening *l)
{
	struct json_object *v = NULL;
	struct err e = { 0 };

	if (!db_refusal_last(l->db, l->node->id, &v, &e))
		l->last = json_object_get_int64(v);
	json_object_put(v);
}

static void *listen_run(void *arg)
{
	struct node *n = arg;
	struct listening l = { .node = n,
			       .db = db_create(n->conf->db, "ve-jobd listen") };

	while (!node_is_gone(n)) {
		struct err e = { 0 };
		char last[24];

		link_renew(&l.link, n);
		if (!l.last)
			find_last(&l);
		snprintf(last, sizeof(last), "%lld", (long long)l.last);
		client_follow(l.link.client, "/v1/events", l.last ? last : NULL,
			      on_event, &l, &e);
		node_stir(n, 0);
		pause_ms(1000);
	}
	link_close(&l.link);
	db_destroy(l.db);
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
	mono_cond_init(&n->changed);
	pthread_cond_init(&n->handed, NULL);
	pthread_mutex_init(&n->desk.lock, NULL);
	n->desk.db = db_create(n->conf->db, "ve-jobd work");
	n->desk.workers = WORKERS;
	start_thread(drive_run, n);
	start_thread(listen_run, n);
	start_thread(urgent_run, n);
	start_thread(claim_run, n);
	for (int i = 0; i < WORKERS; i++)
		start_thread(work_run, n);
}

static void read_conf(struct conf *c, const char *file)
{
	static const char *const needed[] = { "db", "node_ca", "control_cert",
					      "control_key", NULL };
	static const char *const letters[] = { "public_url", "mail_from",
					       NULL };
	static const char *const names[] = { "dns_zone", "dns_key", NULL };
	struct err e = { 0 };

	if (conf_read(c, file, &e) || conf_need(c, file, needed, &e))
		fatal("%s", e.text);
	if (c->smtp_url && conf_need(c, file, letters, &e))
		fatal("smtp_url is there, but %s", e.text);
	if (c->dns_server && conf_need(c, file, names, &e))
		fatal("dns_server is there, but %s", e.text);
}

int main(int argc, char **argv)
{
	const char *file = "/etc/ve-jobd.conf";
	_conf_ struct conf c = { 0 };
	struct err e = { 0 };
	const struct sigaction hup = { .sa_handler = on_hup,
				       .sa_flags = SA_RESTART };
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
	sigaction(SIGHUP, &hup, NULL);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	/* an unprivileged process reads the keys anew for each connection */
	if (sandbox_drop(c.user, &e))
		fatal("%s", e.text);
	if (c.smtp_url)
		start_thread(mail_run, &c);
	if (c.dns_server)
		start_thread(dns_run, &c);
	house_run(&c);
	return 0;
}
