// SPDX-License-Identifier: Apache-2.0
#include "agent/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "agent/api.h"
#include "agent/db.h"
#include "agent/event.h"
#include "agent/lease.h"
#include "agent/libve/fail.h"
#include "agent/libve/log.h"
#include "agent/libve/mono.h"
#include "agent/libve/wire.h"

#define RECONCILE_MS 30000
#define TIDY_MS 600000
#define TURN_MS 500 /* whose turn is over is asked as often */
#define DAY_MS 86400000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t poked;
static bool poke;

void clock_poke(void)
{
	pthread_mutex_lock(&lock);
	poke = true;
	pthread_cond_signal(&poked);
	pthread_mutex_unlock(&lock);
}

static void nap(int64_t ms)
{
	struct timespec until = mono_after(ms);

	pthread_mutex_lock(&lock);
	while (!poke)
		if (pthread_cond_timedwait(&poked, &lock, &until))
			break;
	poke = false;
	pthread_mutex_unlock(&lock);
}

static uint64_t begun, ended; /* leases, since this api lives; the state lock's */

void clock_metrics(struct buf *b)
{
	buf_printf(b,
		   "# HELP ve_node_leases_begun_total addresses that were lent\n"
		   "# TYPE ve_node_leases_begun_total counter\n"
		   "ve_node_leases_begun_total %" PRIu64 "\n"
		   "# HELP ve_node_leases_ended_total ... and taken back\n"
		   "# TYPE ve_node_leases_ended_total counter\n"
		   "ve_node_leases_ended_total %" PRIu64 "\n",
		   begun, ended);
}

static void tell(const struct lease *l, const char *what, const char *why)
{
	struct buf b _buf_ = { 0 };
	struct json_out o = { .b = &b };
	char text[ADDR_TEXT];

	json_open(&o, NULL, '{');
	json_put_string(&o, "what", what);
	json_put_int(&o, "veid", l->veid);
	json_put_string(&o, "address", addr_print(text, &l->address));
	json_put_int(&o, "epoch", l->epoch);
	json_put_string(&o, "block", l->block);
	if (why)
		json_put_string(&o, "why", why);
	json_close(&o, '}');
	event_put(api.db, "lease", b.data);
}

static void lease_ended(uint32_t veid, const char *why)
{
	/* that it began is told when the kernel has it */
	bool begun_told = db_int(api.db, 0,
				 "SELECT installed FROM lease WHERE veid = ?",
				 "i", (int64_t)veid) != 0;
	struct lease was;

	if (lease_end(api.db, veid, clock_boot(), clock_wall(),
		      api.conf->quarantine_ms, &was) &&
	    begun_told) {
		ended++;
		tell(&was, "ended", why);
	}
}

void clock_lease_ended(uint32_t veid)
{
	lease_ended(veid, NULL);
}

/* If it runs it runs on without: last in the line for another. */
static void again(uint32_t veid, const char *why)
{
	struct ve v;

	lease_ended(veid, why);
	if (ve_load(api.db, veid, &v) && v.state == VE_RUNNING)
		lease_wait(api.db, veid, clock_boot());
}

#define BATCH 128 /* leases that begin or end with one wait for the disk */

/* What became of each lease of a batch. */
struct outcome {
	int code;
	struct err e;
};

/* Into the kernel's table, or out of it. */
static void set_addresses(const struct lease *l, unsigned n, bool add,
			  struct outcome *o)
{
	static struct msg replies[BATCH]; /* the clock's thread only */
	struct asking asking[BATCH];

	for (unsigned i = 0; i < n; i++) {
		struct msg_addr m = { .head.type = MSG_ADDR,
				      .veid = l[i].veid,
				      .add = add,
				      .epoch = l[i].epoch,
				      .addr = l[i].address };

		ask_begin(&asking[i], &m, &replies[i]);
	}
	for (unsigned i = 0; i < n; i++) {
		o[i] = (struct outcome){ 0 };
		o[i].code = ask_end(&asking[i], &o[i].e);
	}
}

static unsigned find_overdue(struct lease *l)
{
	unsigned n = lease_overdue(api.db, clock_boot(), l, BATCH);

	for (unsigned i = 0; i < n; i++)
		log_warn("block %s is no longer ours: VE %" PRIu32
			 " goes on without IPv4",
			 l[i].block, l[i].veid);
	return n;
}

/* Who sleeps needs no address. */
static unsigned find_needless(struct lease *l)
{
	return lease_all_needless(api.db, l, BATCH);
}

/* Its turn is over. */
static unsigned find_too_long(struct lease *l)
{
	return lease_too_long(api.db, clock_boot(), l, BATCH);
}

static void notice(uint32_t veid)
{
	struct msg_notice n = { .head.type = MSG_NOTICE,
				.veid = veid,
				.code = TERM_NOTICE_LEASE };

	snprintf(n.text, sizeof(n.text),
		 "Others wait for an IPv4 address, and this environment had"
		 " one for its longest time: it goes on without and is in"
		 " line for another.");
	tell_term(&n, NULL, 0);
}

/* Whether the kernel has it no longer. */
static bool is_out(const struct lease *l, const struct outcome *o)
{
	if (o->code == 0 || o->code == -ESRCH || o->code == -ENOENT ||
	    o->code == -EADDRNOTAVAIL)
		return true;
	log_err("address of VE %" PRIu32 ": %s", l->veid, o->e.text);
	return false;
}

/* Addresses out of the kernel's table and then free.  Those that come meanwhile
 * are for the next time: others wait for the first.  false: priv could not, try
 * again soon. */
static bool take_back(unsigned (*find)(struct lease *l))
{
	bool longest = find == find_too_long;
	struct outcome o[BATCH];
	struct lease l[BATCH];
	bool all = true;
	unsigned n;

	do {
		state_lock();
		n = find(l);
		state_unlock();
		if (!n)
			break;
		set_addresses(l, n, false, o);
		fail_point("release-out");
		state_lock();
		db_begin(api.db);
		for (unsigned i = 0; i < n; i++) {
			if (!is_out(&l[i], &o[i])) {
				all = false;
				continue;
			}
			again(l[i].veid, longest ? "longest" : NULL);
			if (longest)
				notice(l[i].veid);
			ve_touch(api.db, l[i].veid);
		}
		db_commit(api.db);
		state_unlock();
		fail_point("release-written");
	} while (all && n == BATCH);
	return all;
}

/* What priv was told, so that it is told changes only. */
static struct told {
	struct cidr range;
	int64_t until;
} told[256];

static unsigned told_by; /* line to priv (link_generation) that heard it */

static struct told *find_told(const struct cidr *c)
{
	struct told *empty = NULL;

	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		if (told[i].range.bits == c->bits &&
		    addr_equal(&told[i].range.base, &c->base))
			return &told[i];
		if (!empty && told[i].until <= clock_boot())
			empty = &told[i];
	}
	if (empty)
		*empty = (struct told){ .range = *c };
	return empty;
}

/* The next block whose end priv does not know; false when it knows all. */
static bool untold(struct msg_fence *m)
{
	bool found = false;
	sqlite3_stmt *st;

	state_lock();
	st = db_query(api.db,
		      "SELECT range, valid_until FROM block"
		      " WHERE valid_until > ?",
		      "i", clock_boot());
	while (!found && db_step(st)) {
		char text[CIDR_TEXT];
		struct told *t;

		db_text(st, 0, text, sizeof(text));
		m->until = sqlite3_column_int64(st, 1);
		if (cidr_parse(&m->range, text) < 0)
			continue;
		t = find_told(&m->range);
		found = t && t->until != m->until;
	}
	db_release(st);
	state_unlock();
	return found;
}

static unsigned reminded; /* line to priv that knows what stands; 0: none */

/* priv fences by itself, in case we cannot.  Where the end that it knew of has
 * come before the news that the block is ours for longer, it has taken out what
 * stands: that is to be told again. */
static bool tell_fences(void)
{
	struct msg_fence m = { .head.type = MSG_FENCE };

	if (told_by != link_generation()) {
		memset(told, 0, sizeof(told));
		told_by = link_generation();
	}
	while (untold(&m)) {
		struct msg reply _msg_ = { .nfds = 0 };
		struct told *t;

		if (ask(&m, &reply, NULL) < 0)
			return false;
		fail_point("renew-told");
		t = find_told(&m.range);
		if (t->until <= clock_boot())
			reminded = 0;
		t->until = m.until;
	}
	return true;
}

/* Who waits gets what is free, in their order; their number. */
static unsigned pick(struct lease *l)
{
	uint32_t veids[BATCH];
	unsigned n = 0, waiting;

	state_lock();
	db_begin(api.db);
	waiting = lease_waiting(api.db, veids, BATCH);
	while (n < waiting && lease_pick(api.db, veids[n], clock_boot(),
					 clock_wall(), &l[n]) == 0)
		n++;
	if (db_commit(api.db) < 0)
		n = 0;
	state_unlock();
	return n;
}

/* false: its VE ended while the kernel was told, and the lease with it. */
static bool settle(const struct lease *l, const struct outcome *o)
{
	struct ve v;

	if (o->code == 0) {
		if (!lease_installed(api.db, l))
			return false;
		/* it fell asleep meanwhile */
		if (ve_load(api.db, l->veid, &v) && v.state == VE_FROZEN)
			lease_needless(api.db, l->veid, true);
		begun++;
		tell(l, "began", NULL);
		ve_touch(api.db, l->veid);
		return true;
	}
	log_err("lease: %s", o->e.text);
	/* priv may have died with it done or not: see redo_unfinished() */
	if (o->code != -EPIPE && o->code != -ETIMEDOUT)
		again(l->veid, NULL);
	return true;
}

/* Pick and write down, wait for the disk, then tell the kernel.  Whether there
 * may be more to give. */
static bool give(void)
{
	struct outcome o[BATCH];
	struct lease l[BATCH];
	unsigned n = pick(l), late = 0;
	bool more = n == BATCH;

	if (!n)
		return false;
	fail_point("grant-picked");
	db_sync();
	fail_point("grant-durable");
	set_addresses(l, n, true, o);
	fail_point("grant-told");
	state_lock();
	db_begin(api.db);
	for (unsigned i = 0; i < n; i++) {
		more |= o[i].code == -EADDRINUSE; /* it gets another */
		if (!settle(&l[i], &o[i]))
			l[late++] = l[i];
	}
	db_commit(api.db);
	state_unlock();
	/* a VE that has started anew meanwhile may have got it */
	if (late)
		set_addresses(l, late, false, o);
	fail_point("grant-written");
	return more;
}

/* Leases that were written down, and nobody knows whether the kernel was told,
 * because priv or a former api died.  false: priv could not, try again soon. */
static bool redo_unfinished(void)
{
	for (;;) {
		struct outcome o;
		struct lease l;
		unsigned n;

		state_lock();
		n = lease_unfinished(api.db, &l, 1);
		state_unlock();
		if (!n)
			return true;
		set_addresses(&l, 1, false, &o);
		if (!is_out(&l, &o))
			return false;
		state_lock();
		again(l.veid, NULL);
		state_unlock();
	}
}

/* Whether the lease stands, written down and in the kernel. */
static bool is_standing(const struct lease *l)
{
	struct lease now;

	return lease_of(api.db, l->veid, &now) && now.epoch == l->epoch;
}

/* What became of a lease that priv was told of again.  true: its address is to
 * be taken out, as it ended meanwhile or the kernel does not have it. */
static bool is_wrong(const struct lease *l, const struct outcome *o)
{
	bool stands;

	state_lock();
	stands = is_standing(l);
	state_unlock();
	if (o->code == 0)
		return !stands;
	log_err("lease: %s", o->e.text);
	/* a fence that is not there has ended, and with it the lease */
	return stands && o->code != -EPIPE && o->code != -ETIMEDOUT &&
	       o->code != -EACCES && o->code != -ESRCH;
}

/* Out of the kernel's table, then free. */
static void take_out(const struct lease *l)
{
	struct outcome o;

	set_addresses(l, 1, false, &o);
	if (!is_out(l, &o))
		return;
	state_lock();
	if (is_standing(l))
		again(l->veid, NULL);
	state_unlock();
}

/* A priv that is new may have lost what the one before knew, and its memory at
 * the supervisor may be lost as well: then it would neither prolong nor take out
 * what the kernel has.  To add again what is there is no fault.  Behind the fences.
 * false: once more. */
static bool remind_addresses(void)
{
	struct outcome o[BATCH];
	struct lease l[BATCH];
	uint32_t after = 0;
	unsigned n;

	if (reminded == told_by)
		return true;
	do {
		state_lock();
		n = lease_standing(api.db, after, l, BATCH);
		state_unlock();
		set_addresses(l, n, true, o);
		if (told_by != link_generation())
			return false; /* that one knew of no fence */
		for (unsigned i = 0; i < n; i++) {
			if (o[i].code == -ETIMEDOUT)
				return false;
			if (is_wrong(&l[i], &o[i]))
				take_out(&l[i]);
			after = l[i].veid;
		}
	} while (n == BATCH);
	reminded = told_by;
	return true;
}

static void drop_ended_blocks(void)
{
	state_lock();
	if (db_do(api.db,
		  "DELETE FROM block WHERE nonce = '' AND valid_until = 0"
		  " AND id NOT IN (SELECT block FROM lease)"
		  " AND nonce_at > 0",
		  "") > 0)
		db_do(api.db,
		      "DELETE FROM released WHERE block NOT IN"
		      " (SELECT id FROM block)",
		      "");
	state_unlock();
}

static void tidy(void)
{
	int64_t old = clock_wall() - DAY_MS;

	state_lock();
	event_trim(api.db);
	db_do(api.db, "DELETE FROM op WHERE state >= 2 AND finished < ?", "i",
	      old);
	db_do(api.db, "DELETE FROM key WHERE created < ?", "i", old);
	db_do(api.db, "DELETE FROM nonce WHERE exp < ?", "i",
	      clock_wall() / 1000 - 10);
	state_unlock();
}

static void ask_templates(void)
{
	struct msg_ve m = { .head.type = MSG_TEMPLATES_ASK };
	struct msg reply _msg_ = { .nfds = 0 };

	if (ask(&m, &reply, NULL) < 0 || reply.m.head.type != MSG_TEMPLATES_ARE)
		return;
	state_lock();
	api.templates = reply.m.templates;
	state_unlock();
}

static void *run(void *arg)
{
	int64_t reconcile = 0, tidied = 0, turn = 0, wait;
	unsigned line = 0; /* to the priv that was asked */

	for (;;) {
		bool ok = redo_unfinished() && take_back(find_overdue) &&
			  take_back(find_needless);

		if (clock_mono() >= reconcile || line != link_generation()) {
			line = link_generation();
			ask_templates();
			op_reconcile();
			reconcile =
				clock_mono() + (api.ready ? RECONCILE_MS : 500);
		}
		if (clock_mono() >= tidied) {
			tidy();
			tidied = clock_mono() + TIDY_MS;
		}
		ok = tell_fences() && remind_addresses() && ok;
		while (ok && api.ready && give())
			continue;
		if (clock_mono() >= turn) {
			ok = take_back(find_too_long) && ok;
			turn = clock_mono() + TURN_MS;
		}
		drop_ended_blocks();
		http_wake_due(clock_mono());
		state_lock();
		wait = lease_next_ms(api.db, clock_boot(), 1000);
		state_unlock();
		nap(!ok || !api.ready ? 200 : wait + 1);
	}
	return NULL;
}

void clock_start(void)
{
	pthread_t t;

	mono_cond_init(&poked);
	if (pthread_create(&t, NULL, run, NULL))
		fatal("no thread for the clock");
}
