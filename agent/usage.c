// SPDX-License-Identifier: Apache-2.0
#include "agent/usage.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "agent/api.h"
#include "agent/db.h"
#include "agent/event.h"
#include "agent/libve/log.h"

#define ANSWERS 512 /* a VE's is found by its number; two may drive each other out */
#define LINE 512

struct answer {
	int64_t at; /* clock_mono() of the answer, 0: none */
	struct msg_usage usage;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static struct answer answers[ANSWERS];
static uint32_t line[LINE]; /* of VEs that are asked for */
static unsigned first, length;

bool usage_get(uint32_t veid, int64_t since, struct msg_usage *u)
{
	struct answer *a = &answers[veid % ANSWERS];
	bool found;

	pthread_mutex_lock(&lock);
	found = a->usage.veid == veid && a->at && a->at >= since;
	if (found)
		*u = a->usage;
	pthread_mutex_unlock(&lock);
	return found;
}

void usage_forget(uint32_t veid)
{
	pthread_mutex_lock(&lock);
	answers[veid % ANSWERS].at = 0;
	pthread_mutex_unlock(&lock);
}

void usage_ask(uint32_t veid)
{
	bool there = false;

	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < length; i++)
		there |= line[(first + i) % LINE] == veid;
	/* when it is full the next change wakes who waits, and he asks again */
	if (!there && length < LINE) {
		line[(first + length++) % LINE] = veid;
		pthread_cond_signal(&more);
	}
	pthread_mutex_unlock(&lock);
}

static uint32_t take(void)
{
	uint32_t veid;

	pthread_mutex_lock(&lock);
	while (!length)
		pthread_cond_wait(&more, &lock);
	veid = line[first];
	first = (first + 1) % LINE;
	length--;
	pthread_mutex_unlock(&lock);
	return veid;
}

static void *run(void *arg)
{
	for (;;) {
		struct msg_ve m = { .head.type = MSG_USAGE, .veid = take() };
		struct answer a = { .usage.veid = m.veid };
		struct msg reply _msg_ = { .nfds = 0 };

		/* without an answer: nothing is counted, and nobody waits */
		if (ask(&m, &reply, NULL) == 0 &&
		    reply.m.head.type == MSG_USAGE_IS)
			a.usage = reply.m.usage;
		a.at = clock_mono();
		pthread_mutex_lock(&lock);
		answers[m.veid % ANSWERS] = a;
		pthread_mutex_unlock(&lock);
		http_wake(TOPIC_VE | m.veid);
	}
	return NULL;
}

void usage_start(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, run, NULL))
		fatal("no thread for usage");
}

/* ---- in words -------------------------------------------------------------- */

static void show_traffic(const struct traffic *t, struct json_out *o)
{
	json_open(o, "net", '{');
	json_put_int(o, "tx_packets", (int64_t)t->tx_packets);
	json_put_int(o, "tx_bytes", (int64_t)t->tx_bytes);
	json_put_int(o, "rx_packets", (int64_t)t->rx_packets);
	json_put_int(o, "rx_bytes", (int64_t)t->rx_bytes);
	json_put_int(o, "tx6_packets", (int64_t)t->tx6_packets);
	json_put_int(o, "tx6_bytes", (int64_t)t->tx6_bytes);
	json_put_int(o, "rx6_packets", (int64_t)t->rx6_packets);
	json_put_int(o, "rx6_bytes", (int64_t)t->rx6_bytes);
	json_put_int(o, "tx_dropped", (int64_t)t->tx_dropped);
	json_put_int(o, "rx_dropped", (int64_t)t->rx_dropped);
	json_put_int(o, "spoofed", (int64_t)t->spoofed);
	json_put_int(o, "flows_braked", (int64_t)t->flows_braked);
	json_put_int(o, "packets_braked", (int64_t)t->packets_braked);
	json_close(o, '}');
}

void usage_show(const struct msg_usage *u, struct json_out *o)
{
	if (!u->counted) {
		json_put_null(o, "usage");
		return;
	}
	json_open(o, "usage", '{');
	for (unsigned i = 0; i < BEANS; i++) {
		const struct bean_stat *s = &u->beans[i];

		if (!bean_name(i))
			continue;
		json_open(o, bean_name(i), '{');
		json_put_int(o, "held", (int64_t)s->held);
		json_put_int(o, "maxheld", (int64_t)s->maxheld);
		json_put_int(o, "barrier", (int64_t)s->barrier);
		json_put_int(o, "limit", (int64_t)s->limit);
		json_put_int(o, "failcnt", (int64_t)s->failcnt);
		json_close(o, '}');
	}
	show_traffic(&u->net, o);
	json_close(o, '}');
}

/* ---- refusals -------------------------------------------------------------- */

static struct {
	uint64_t refused[BEANS], lost;
} counts; /* since this api lives; the state lock's */

static void tell(const struct msg_refusal *r)
{
	struct buf b _buf_ = { 0 };
	struct json_out o = { .b = &b };
	char when[TIME_TEXT];

	json_open(&o, NULL, '{');
	json_put_int(&o, "veid", r->veid);
	json_put_string(&o, "resource", bean_name(r->resource));
	json_put_int(&o, "held", (int64_t)r->held);
	json_put_int(&o, "barrier", (int64_t)r->barrier);
	json_put_int(&o, "limit", (int64_t)r->limit);
	json_put_int(&o, "refused", (int64_t)r->refused);
	json_put_maybe(&o, "program", r->program);
	json_put_int(&o, "pid", r->pid);
	json_put_string(&o, "time",
			time_text(when, clock_wall() + r->time - clock_boot()));
	json_put_int(&o, "lost", r->lost);
	json_close(&o, '}');
	event_put(api.db, "refused", b.data);
}

void usage_refused(const struct msg_refusals *m)
{
	state_lock();
	db_begin(api.db);
	for (uint32_t i = 0; i < m->nr; i++) {
		const struct msg_refusal *r = &m->entries[i];

		counts.refused[r->resource] += r->refused;
		counts.lost += r->lost;
		tell(r);
	}
	db_commit(api.db);
	state_unlock();
}

void usage_metrics(struct buf *b)
{
	buf_puts(b, "# HELP ve_node_refused_total requests of VEs that a"
		    " beancounter refused\n"
		    "# TYPE ve_node_refused_total counter\n");
	for (unsigned i = 0; i < BEANS; i++)
		if (bean_name(i))
			buf_printf(b,
				   "ve_node_refused_total{resource=\"%s\"}"
				   " %" PRIu64 "\n",
				   bean_name(i), counts.refused[i]);
	buf_printf(b,
		   "# HELP ve_node_refusals_lost_total events of refusals that"
		   " were lost\n# TYPE ve_node_refusals_lost_total counter\n"
		   "ve_node_refusals_lost_total %" PRIu64 "\n",
		   counts.lost);
}
